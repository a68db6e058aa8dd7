import { describe, expect, it } from "vitest";
import { addressOf, parseAddress, WHOLE_SHELF } from "./address";

describe("F-1043: addresses", () => {
  it("lead back to what they were made of", () => {
    expect(parseAddress(addressOf.conversation("a/b%c"))).toEqual({ view: "chat", conversation: "a/b%c" });
    expect(parseAddress(addressOf.conversation(null))).toEqual({ view: "chat", conversation: null });
    expect(parseAddress(addressOf.documents("手册 #1?"))).toEqual({ view: "documents", collection: "手册 #1?", ...WHOLE_SHELF });
    const passage = { document_id: "d-1", char_start: 735, char_end: 955, page: 3 };
    expect(addressOf.passage(passage)).toBe("#/d/d-1?at=735-955&page=3");
    expect(addressOf.passage({ ...passage, page: null, char_end: 735 })).toBe("#/d/d-1");
    expect(parseAddress("#/d/d-1?at=735-955&page=3")).toEqual({ view: "source", document: "d-1", span: { start: 735, end: 955 }, page: 3 });
  });

  it.each(["", "#", "#x", "#/", "#/d/", "#/d/%", "#/library/", "#/unknown/1"])("are the start where %j names nothing", (hash) => {
    expect(parseAddress(hash)).toEqual({ view: "start" });
  });

  it.each(["page=-1", "page=1e9", "at=9-3", "at=-1-3", "at=1-", "at=1-99999999999", "at=a-b", ""])("open the whole document where %j is no place", (query) => {
    expect(parseAddress(`#/d/x?${query}`)).toEqual({ view: "source", document: "x", span: null, page: null });
  });
});
