/** A line that a program of the host can print, as docs/runbook.md lists it; `{name}` stands for a value. */
export interface LineShape {
  /** All but a warning end what was asked for. */
  readonly as: "failed" | "refused" | "pending" | "warning";
  readonly says: string;
}

/** A line with its values filled in. */
export interface Line {
  /** What the runbook is searched for. */
  readonly id: string;
  readonly as: LineShape["as"];
  readonly text: string;
}

/** Ends what was asked for with one line for a person, and details below it. */
export class Stop extends Error {
  readonly line: Line;
  readonly details: string;

  constructor(line: Line, details = "") {
    super(line.text);
    this.line = line;
    this.details = details;
  }
}

type Holes<Text extends string> = Text extends `${string}{${infer Hole}}${infer Rest}`
  ? Hole | Holes<Rest>
  : never;

type Values<Shape extends LineShape> = Readonly<Record<Holes<Shape["says"]>, string | number>>;

type Ids<Shapes, As extends LineShape["as"]> = {
  [Id in keyof Shapes]: Shapes[Id] extends { readonly as: As } ? Id : never;
}[keyof Shapes] &
  string;

/** The lines of one subject: the catalogue that the runbook is compared with, and how to say them. */
export interface Lines<Shapes extends Readonly<Record<string, LineShape>>> {
  readonly shapes: Shapes;
  /** To be thrown. Details may have several lines: another program's last words, say. */
  stop<Id extends Ids<Shapes, "failed" | "refused" | "pending">>(
    id: Id,
    values: Values<Shapes[Id]>,
    details?: string,
  ): Stop;
  warning<Id extends Ids<Shapes, "warning">>(id: Id, values: Values<Shapes[Id]>): Line;
}

/** Ids are unique over all subjects of all programs: a test compares them with the runbook. */
export function defineLines<const Shapes extends Readonly<Record<string, LineShape>>>(
  shapes: Shapes,
): Lines<Shapes> {
  const fill = (id: keyof Shapes & string, values: Readonly<Record<string, string | number>>) => {
    const { as, says } = shapes[id] as LineShape;
    const text = says.replaceAll(/\{(\w+)\}/g, (_, name: string) => oneLine(String(values[name])));
    return { id, as, text };
  };
  return {
    shapes,
    stop: (id, values, details) => new Stop(fill(id, values), details),
    warning: (id, values) => fill(id, values),
  };
}

/** Text of others, fit to stand in a line: no line break, no control character. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
