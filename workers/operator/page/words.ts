/** A moment as people read it, in their zone. */
export function moment(text: string): string {
  const time = new Date(text);
  const today = new Date().toDateString() === time.toDateString();
  return today ? time.toLocaleTimeString() : time.toLocaleString();
}

export function seconds(count: number): string {
  if (count < 90) return `${Math.round(count)} s`;
  if (count < 5400) return `${Math.round(count / 60)} min`;
  return `${Math.round(count / 3600)} h`;
}

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;
export const firstLine = (text: string): string => (text.split("\n")[0] ?? "").slice(0, 300);
