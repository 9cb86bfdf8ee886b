// What everybody shows, as the trace of these benches has it.

export const presence = (cursor = { x: 512.25, y: 300.5 }) => ({
  name: "Quiet Otter",
  color: "#286fe3",
  cursor,
  typing: false,
  tool: "pen",
  viewport: { x: 120, y: 80, zoom: 1.25 },
});
