import { describe, expect, it } from "vitest";
import { addressOf, parseAddress } from "../shell/address";
import { askedIn, decodeScope, filterOf, NO_FILTERS, scopeOf, type Filters } from "./scope";

const FILTERS: Filters = {
  folder: "zh/手册/",
  types: ["application/pdf", "text/markdown"],
  languages: ["zh"],
  since: "2026-01-31",
  documents: [{ source: "zh/手册/a&b.pdf", title: "zh/手册/a&b.pdf" }],
};

describe("a scope", () => {
  it("goes over the wire as the service's filter, and without one where nothing is filtered", () => {
    expect(askedIn(scopeOf("handbook"))).toEqual({ collection: "handbook" });
    expect(askedIn({ collections: ["a", "b"], filters: { ...NO_FILTERS, languages: ["en"] } })).toEqual({
      collections: ["a", "b"],
      filter: { all: [{ field: "language", op: "in", values: ["en"] }] },
    });
    expect(askedIn(scopeOf("*"))).toEqual({ collections: ["*"] });
    expect(filterOf(FILTERS)).toEqual({
      all: [
        { field: "source", op: "prefix", value: "zh/手册/" },
        { field: "media_type", op: "in", values: ["application/pdf", "text/markdown"] },
        { field: "language", op: "in", values: ["zh"] },
        { field: "updated_at", op: "range", from: "2026-01-31" },
        { field: "source", op: "in", values: ["zh/手册/a&b.pdf"] },
      ],
    });
  });

  it("is read back as it was kept, and from what an earlier build kept", () => {
    const scope = { collections: ["a"], filters: FILTERS };
    expect(decodeScope(JSON.parse(JSON.stringify(scope)), undefined)).toEqual(scope);
    expect(decodeScope(undefined, "handbook")).toEqual(scopeOf("handbook"));
    expect(decodeScope({ collections: [], filters: { since: "yesterday", types: [1, "x"], documents: [{}] } }, undefined)).toEqual({
      collections: ["default"],
      filters: { ...NO_FILTERS, types: ["x"] },
    });
  });

  it("stands in the address of a search", () => {
    const address = addressOf.search("a & b?", ["手册", "b"], FILTERS);
    expect(parseAddress(address)).toEqual({ view: "search", q: "a & b?", collections: ["手册", "b"], filters: FILTERS });
    expect(addressOf.search("")).toBe("#/search");
  });
});
