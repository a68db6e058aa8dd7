// A parser of text/event-stream (WHATWG HTML, "Server-sent events", 9.2.6) for a fetched body.
// EventSource can't POST, so the stream is read by hand. It knows nothing of what the events mean.

export interface ServerEvent {
  /** The event's name; "message" when the stream names none. */
  event: string;
  data: string;
}

/** Feeds on the bytes of one stream, cut anywhere, and returns the events that each piece completes. */
export class EventStreamParser {
  private readonly decoder = new TextDecoder("utf-8");
  private line = "";
  private endedInCarriageReturn = false;
  private name = "";
  private data: string[] = [];

  push(bytes: Uint8Array): ServerEvent[] {
    const events: ServerEvent[] = [];
    let text = this.decoder.decode(bytes, { stream: true });
    if (text === "") return events; // only a part of a character so far
    const cutsCrlf = this.endedInCarriageReturn && text.startsWith("\n");
    this.endedInCarriageReturn = text.endsWith("\r");
    if (cutsCrlf) text = text.slice(1); // the CR before it has ended the line already

    const lines = text.split(/\r\n|\n|\r/);
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.endLine(this.line + line);
      this.line = "";
      if (event) events.push(event);
    }
    this.line += rest;
    return events;
  }

  private endLine(line: string): ServerEvent | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null; // a comment, sent to keep the connection alive
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
    return null; // "id" and "retry" are for reconnecting, which a question never does
  }

  private dispatch(): ServerEvent | null {
    const event = this.data.length > 0 ? { event: this.name || "message", data: this.data.join("\n") } : null;
    this.name = "";
    this.data = [];
    return event;
  }
}
