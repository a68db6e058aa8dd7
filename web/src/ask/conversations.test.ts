import { describe, expect, it } from "vitest";
import {
  decodeConversation,
  historyBefore,
  leansOnHistory,
  MAX_TURNS,
  newConversation,
  newTurn,
  renamed,
  titleOf,
  withTurn,
  type Conversation,
  type Turn,
} from "./conversations";
import { scopeOf } from "./scope";

const turn = (id: string, rest: Partial<Turn> = {}): Turn => ({
  ...newTurn(id, `q${id}`),
  status: "done",
  answer: `a${id}`,
  ...rest,
});
const conversation = (turns: Turn[]): Conversation => ({ ...newConversation("c", scopeOf(), 1), turns });

describe("F-746: a question asked alone", () => {
  it("drops what was said before, for itself and for what follows", () => {
    const turns = [turn("0"), { ...turn("1"), alone: true }, turn("2"), turn("3")];
    expect(historyBefore(conversation(turns), "1")).toEqual([]);
    expect(historyBefore(conversation(turns), "3").map(({ content }) => content)).toEqual(["q1", "a1", "q2", "a2"]);
  });

  it("is offered where the question was put behind earlier ones", () => {
    expect(leansOnHistory({ ...turn("0"), standaloneQuestion: "earlier q0" })).toBe(true);
    expect(leansOnHistory({ ...turn("0"), standaloneQuestion: "q0 " })).toBe(false);
    expect(leansOnHistory({ ...turn("0"), standaloneQuestion: "earlier q0", alone: true })).toBe(false);
    expect(leansOnHistory({ ...turn("0"), searchedFor: "mended" })).toBe(false);
  });

  it("stays so when it is read back", () => {
    const [read] = decodeConversation(JSON.parse(JSON.stringify(conversation([{ ...turn("0"), alone: true }]))))?.turns ?? [];
    expect(read?.alone).toBe(true);
  });
});

describe("historyBefore", () => {
  it("gives the last ten messages before the turn, oldest first", () => {
    const turns = Array.from({ length: 8 }, (_, index) => turn(String(index)));
    const history = historyBefore(conversation(turns), "7");
    expect(history).toHaveLength(10);
    expect(history[0]).toEqual({ role: "user", content: "q2" });
    expect(history.at(-1)).toEqual({ role: "assistant", content: "a6" });
  });

  it("leaves out what was not answered, and keeps what was stopped in the middle", () => {
    const turns = [turn("0", { status: "failed" }), turn("1", { status: "stopped" }), turn("2", { status: "stopped", answer: "" }), turn("3")];
    expect(historyBefore(conversation(turns), "3").map(({ content }) => content)).toEqual(["q1", "a1"]);
  });

  it("looks at nothing after the turn", () => {
    expect(historyBefore(conversation([turn("0"), turn("1"), turn("2")]), "1").map(({ content }) => content)).toEqual(["q0", "a0"]);
  });
});

describe("a conversation", () => {
  it("is titled by its first question until it is renamed, and again after a blank name", () => {
    const asked = conversation([turn("0", { question: "  What is\n a chunk? " })]);
    expect(titleOf(asked)).toBe("What is a chunk?");
    expect(titleOf(renamed(asked, " Chunks "))).toBe("Chunks");
    expect(titleOf(renamed(renamed(asked, "Chunks"), "  "))).toBe("What is a chunk?");
    expect(Array.from(titleOf(renamed(asked, "长".repeat(500))))).toHaveLength(80);
  });

  it("drops its oldest turns beyond the limit", () => {
    let long = conversation([]);
    for (let index = 0; index <= MAX_TURNS; index += 1) long = withTurn(long, turn(String(index)), index);
    expect(long.turns).toHaveLength(MAX_TURNS);
    expect(long.turns[0]?.id).toBe("1");
  });
});

describe("decodeConversation", () => {
  it("reads back what was stored", () => {
    const stored = conversation([turn("0", { abstained: true, generator: "extractive", totalMs: 12 })]);
    expect(decodeConversation(JSON.parse(JSON.stringify(stored)))).toEqual(stored);
  });

  it("takes a turn that was streaming as stopped", () => {
    expect(decodeConversation(conversation([turn("0", { status: "streaming" })]))?.turns[0]?.status).toBe("stopped");
  });

  it("leaves out what it can't read and refuses what is no conversation", () => {
    expect(decodeConversation({ id: "c", turns: [7, null, { id: "t" }, { id: "u", question: "q", citations: [{}, "x"] }] })?.turns).toEqual([
      { ...newTurn("u", "q"), status: "stopped" },
    ]);
    for (const broken of [null, 3, "x", [], {}, { id: 4 }]) expect(decodeConversation(broken)).toBeNull();
  });
});
