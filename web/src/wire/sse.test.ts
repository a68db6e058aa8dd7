import { describe, expect, it } from "vitest";
import { EventStreamParser, type ServerEvent } from "./sse";

const encoder = new TextEncoder();

function parse(text: string, cuts: number[] = []): ServerEvent[] {
  const bytes = encoder.encode(text);
  const parser = new EventStreamParser();
  return [0, ...cuts].flatMap((from, index) => parser.push(bytes.subarray(from, cuts[index] ?? bytes.length)));
}

const STREAM = [
  ": keep-alive\r\n\r\n",
  'event: sources\r\ndata: {"citations": []}\r\n\r\n',
  'event: token\ndata: {"text":\ndata:  "分块😀𠮷"}\n\n',
  "data:no space\rdata\r\r",
  "id: 4\nretry: 10\nunknown: x\n\n",
  "event: done\ndata: {}\n\n",
].join("");

const EVENTS: ServerEvent[] = [
  { event: "sources", data: '{"citations": []}' },
  { event: "token", data: '{"text":\n "分块😀𠮷"}' },
  { event: "message", data: "no space\n" },
  { event: "done", data: "{}" },
];

describe("EventStreamParser", () => {
  it("reads names, data of several lines, all three line ends and comments", () => {
    expect(parse(STREAM)).toEqual(EVENTS);
  });

  it("gives the same events wherever the bytes are cut in two", () => {
    const { length } = encoder.encode(STREAM);
    for (let cut = 0; cut <= length; cut += 1) expect(parse(STREAM, [cut])).toEqual(EVENTS);
  });

  it("gives the same events byte by byte, and with empty pieces", () => {
    const { length } = encoder.encode(STREAM);
    const each = Array.from({ length: length - 1 }, (_, index) => index + 1);
    expect(parse(STREAM, each)).toEqual(EVENTS);
    expect(parse(STREAM, each.flatMap((cut) => [cut, cut]))).toEqual(EVENTS);
  });

  it("drops an event that the stream leaves unfinished", () => {
    expect(parse("event: token\ndata: 1\n\nevent: token\ndata: 2\n")).toEqual([{ event: "token", data: "1" }]);
  });

  it("gives an event as soon as its blank line is there, without waiting for more", () => {
    const parser = new EventStreamParser();
    expect(parser.push(encoder.encode("data: now\r\n\r"))).toEqual([{ event: "message", data: "now" }]);
    expect(parser.push(encoder.encode("\ndata: next\r\n\r\n"))).toEqual([{ event: "message", data: "next" }]);
  });
});
