import { describe, expect, it } from "vitest";
import { ageOf, byAge } from "./ages";

const NOW = new Date(2026, 10, 29, 0, 30).getTime(); // half an hour after midnight
const before = (days: number, hours = 0): number => new Date(2026, 10, 29 - days, hours).getTime();

describe("ageOf", () => {
  it("goes by days of the calendar, not by hours", () => {
    expect(ageOf(before(0), NOW)).toBe("today");
    expect(ageOf(NOW + 60_000, NOW)).toBe("today"); // another machine's clock is ahead
    expect(ageOf(before(1, 23), NOW)).toBe("yesterday");
    expect(ageOf(before(2, 23), NOW)).toBe("week");
    expect(ageOf(before(6), NOW)).toBe("week");
    expect(ageOf(before(7, 23), NOW)).toBe("older");
  });
});

describe("byAge", () => {
  it("cuts a sorted list and loses nothing", () => {
    const items = [0, 0, 1, 3, 9, 20].map((days) => ({ updatedAt: before(days) }));
    const groups = byAge(items, NOW);
    expect(groups.map(({ age, items: some }) => [age, some.length])).toEqual([["today", 2], ["yesterday", 1], ["week", 1], ["older", 2]]);
    expect(groups.flatMap(({ items: some }) => some)).toEqual(items);
    expect(byAge([], NOW)).toEqual([]);
  });
});
