/** Copies a text, also in a page or a window that may not write to the clipboard by itself. Answers whether it did. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'for-readers';
    const around = document.querySelector('dialog[open]') ?? document.body;
    const focused = document.activeElement;
    around.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return copied;
  }
}
