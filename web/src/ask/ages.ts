// How long ago something was, in the few words by which a list is cut. Pure.

export type Age = "today" | "yesterday" | "week" | "older";

/** By the calendar where the reader is: what was before midnight is of yesterday. */
export function ageOf(at: number, now: number): Age {
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  return days < 7 ? "week" : "older";
}

function midnight(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

/** A sorted list, cut where the age changes. */
export function byAge<T extends { updatedAt: number }>(sorted: readonly T[], now: number): { age: Age; items: T[] }[] {
  const groups: { age: Age; items: T[] }[] = [];
  for (const item of sorted) {
    const age = ageOf(item.updatedAt, now);
    const last = groups.at(-1);
    if (last?.age === age) last.items.push(item);
    else groups.push({ age, items: [item] });
  }
  return groups;
}
