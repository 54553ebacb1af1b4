import { readFileSync } from "node:fs";
import chromium from "@sparticuz/chromium";
import { chromium as playwright, type Browser, type Page } from "playwright-core";

/** A headless Chromium that comes with the packages: nothing to install on the machine. */
export async function openBrowser(): Promise<Browser> {
  return await playwright.launch({
    executablePath: await chromium.executablePath(),
    // In a single process, closing one page's context ends the browser.
    args: [...chromium.args.filter((arg) => !/^--(headless|single-process|no-zygote)/.test(arg)), "--no-sandbox"],
    headless: true,
  });
}

type Violation = Readonly<{
  id: string;
  impact: string | null;
  nodes: readonly Readonly<{ html: string; failureSummary: string }>[];
}>;

/** What axe finds wrong with the page as it is now, one line each. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  // Evaluated, not added as a script element: the page's own content policy forbids foreign scripts.
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const found: readonly Violation[] = await page.evaluate("axe.run().then((result) => result.violations)");
  return found.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} (${impact}): ${html}\n${failureSummary}`),
  );
}
