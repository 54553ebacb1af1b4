export type TestCounts = Readonly<{ passed: number; failed: number; skipped: number }>;
export type TestCase = Readonly<{ name: string; file: string; seconds: number; failed: boolean }>;

/** Reads the JUnit report of `bun test`. Counts single tests, not suites, whose totals differ between versions. */
export function readJunit(
  xml: string,
): Readonly<{ counts: TestCounts; cases: readonly TestCase[]; files: readonly string[] }> {
  const cases: TestCase[] = [];
  let skipped = 0;
  for (const [, attributes = "", selfClosed, body = ""] of xml.matchAll(
    /<testcase\b((?:[^>"]|"[^"]*")*?)(?:(\/)>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const isSkipped = selfClosed === undefined && /<skipped\b/.test(body);
    if (isSkipped) skipped += 1;
    else {
      const failed = selfClosed === undefined && /<(?:failure|error)\b/.test(body);
      cases.push({
        name: [attribute(attributes, "classname"), attribute(attributes, "name")].filter(Boolean).join(" > "),
        file: attribute(attributes, "file"),
        seconds: Number(attribute(attributes, "time")) || 0,
        failed,
      });
    }
  }
  const failed = cases.filter((testCase) => testCase.failed).length;
  const files = [...new Set([...xml.matchAll(/<testsuite\b[^>]*\bfile="([^"]*)"/g)].map(([, file = ""]) => file))];
  return { counts: { passed: cases.length - failed, failed, skipped }, cases, files };
}

export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The last line of a test run: `N passed, N failed`, and what was skipped when something was. */
export function renderCounts({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}
