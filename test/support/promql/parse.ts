/**
 * The part of PromQL that alert rules and dashboards here are written in: selectors, ranges, calls, aggregations and
 * operators with their matching. No offsets, sub-queries or `@`. Throws, with the place, on anything else.
 */
export function parsePromql(text: string): Expr {
  const tokens = tokenize(text);
  let at = 0;
  const peek = () => tokens[at] ?? "";
  const take = (): string => tokens[at++] ?? "";
  const expect = (token: string) => {
    const found = take();
    if (found !== token) throw new Error(`expected ${token}, found "${found}" in: ${text}`);
  };
  const list = (): readonly string[] => {
    const names: string[] = [];
    expect("(");
    while (peek() !== ")") {
      names.push(take());
      if (peek() === ",") take();
    }
    expect(")");
    return names;
  };

  const binary = (level: number): Expr => {
    if (level === precedence.length) return unary();
    let left = binary(level + 1);
    while (precedence[level]?.includes(peek())) {
      const op = take();
      let on: readonly string[] | null = null;
      let ignoring: readonly string[] = [];
      let group: "left" | "right" | null = null;
      if (peek() === "on") [on] = [(take(), list())];
      else if (peek() === "ignoring") [ignoring] = [(take(), list())];
      if (peek() === "group_left" || peek() === "group_right") {
        group = take() === "group_left" ? "left" : "right";
        if (peek() === "(" && list().length > 0)
          throw new Error(`labels of group_${group} are not known here: ${text}`);
      }
      left = { kind: "binary", op, left, right: binary(level + 1), matching: { on, ignoring, group } };
    }
    return left;
  };
  const unary = (): Expr => {
    if (peek() !== "-") return primary();
    take();
    return { kind: "binary", op: "-", left: { kind: "number", value: 0 }, right: primary(), matching: anywhere };
  };
  const primary = (): Expr => {
    const token = take();
    if (token === "(") {
      const inner = binary(0);
      expect(")");
      return inner;
    }
    if (/^[\d.]/.test(token)) return { kind: "number", value: Number(token) };
    if (aggregations.includes(token)) {
      const before = peek() === "by" ? (take(), list()) : null;
      expect("(");
      const of = binary(0);
      expect(")");
      return { kind: "aggregate", op: token, of, by: before ?? (peek() === "by" ? (take(), list()) : []) };
    }
    if (peek() === "(") {
      take();
      const args: Expr[] = [];
      while (peek() !== ")") {
        args.push(binary(0));
        if (peek() === ",") take();
      }
      expect(")");
      return { kind: "call", name: token, args };
    }
    return selector(token);
  };
  const selector = (name: string): Expr => {
    if (!/^[a-zA-Z_:]/.test(name)) throw new Error(`"${name}" is not the name of a metric in: ${text}`);
    const matchers: Matcher[] = [];
    if (peek() === "{") {
      take();
      while (peek() !== "}") {
        const [label, op, value] = [take(), take(), take()];
        if (!["=", "!=", "=~", "!~"].includes(op)) throw new Error(`"${op}" does not match labels in: ${text}`);
        matchers.push({ label, op, value: JSON.parse(value) as string });
        if (peek() === ",") take();
      }
      expect("}");
    }
    if (peek() !== "[") return { kind: "select", name, matchers, rangeMs: null };
    take();
    const rangeMs = durationMs(take());
    expect("]");
    return { kind: "select", name, matchers, rangeMs };
  };

  const expr = binary(0);
  if (at < tokens.length) throw new Error(`"${peek()}" is not expected in: ${text}`);
  return expr;
}

export type Matcher = Readonly<{ label: string; op: string; value: string }>;
export type Matching = Readonly<{
  on: readonly string[] | null;
  ignoring: readonly string[];
  group: "left" | "right" | null;
}>;
export type Expr =
  | Readonly<{ kind: "number"; value: number }>
  | Readonly<{ kind: "select"; name: string; matchers: readonly Matcher[]; rangeMs: number | null }>
  | Readonly<{ kind: "call"; name: string; args: readonly Expr[] }>
  | Readonly<{ kind: "aggregate"; op: string; by: readonly string[]; of: Expr }>
  | Readonly<{ kind: "binary"; op: string; left: Expr; right: Expr; matching: Matching }>;

const anywhere: Matching = { on: null, ignoring: [], group: null };
/** Weakest first. */
const precedence = [["or"], ["and", "unless"], ["==", "!=", ">", "<", ">=", "<="], ["+", "-"], ["*", "/"]];
const aggregations = ["sum", "min", "max", "avg", "count"];

/** "30s", "5m", "1h30m" in milliseconds. */
export function durationMs(text: string): number {
  const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new Error(`"${text}" is not a duration`);
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0), 0);
}

/** The selectors of an expression, wherever they stand. */
export function selectorsOf(expr: Expr): readonly Extract<Expr, { kind: "select" }>[] {
  switch (expr.kind) {
    case "number":
      return [];
    case "select":
      return [expr];
    case "call":
      return expr.args.flatMap(selectorsOf);
    case "aggregate":
      return selectorsOf(expr.of);
    case "binary":
      return [...selectorsOf(expr.left), ...selectorsOf(expr.right)];
  }
}

function tokenize(text: string): readonly string[] {
  const pattern =
    /\s+|"(?:[^"\\]|\\.)*"|\d+(?:ms|[smhd])[\dsmh]*|\d*\.?\d+(?:e-?\d+)?|[a-zA-Z_:][\w:]*|[=!]~|[=!<>]=|[-+*/<>=(){}[\],]/y;
  const tokens: string[] = [];
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const [token] = pattern.exec(text) ?? [];
    if (token === undefined) throw new Error(`cannot read "${text.slice(from, from + 20)}" in: ${text}`);
    if (token.trim() !== "") tokens.push(token);
  }
  return tokens;
}
