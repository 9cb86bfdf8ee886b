/** How much room a text takes, in bytes of UTF-8, as the peer counts it (design A8). */
const encoder = new TextEncoder();

export const bytesOf = (text: string): number => encoder.encode(text).length;
