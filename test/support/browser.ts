import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import chromium from "@sparticuz/chromium";
import { chromium as playwright, type Browser, type Page } from "playwright-core";

/** A headless Chromium that comes with the packages: nothing to install on the machine. */
export async function openBrowser(): Promise<Browser> {
  return await playwright.launch({
    executablePath: await unpacked(),
    // In a single process, closing one page's context ends the browser.
    args: [...chromium.args.filter((arg) => !/^--(headless|single-process|no-zygote)/.test(arg)), "--no-sandbox"],
    headless: true,
  });
}

/**
 * The binary, unpacked once per checkout and version. Left to itself the package unpacks into the machine's temporary
 * folder, where the copy of another user, or of a run that was killed half-way, is in the way.
 */
async function unpacked(): Promise<string> {
  const root = join(import.meta.dirname, "../..");
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(root, "node_modules/@sparticuz/chromium/package.json"), "utf8"),
  );
  const folder = join(root, ".dev", `chromium-${version}`);
  const binary = join(folder, "chromium");
  if (existsSync(binary)) return binary;
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}-`);
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = fresh;
  try {
    await chromium.executablePath();
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another run may have been faster.
    if (!existsSync(binary)) throw error;
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
  return binary;
}

type Violation = Readonly<{
  id: string;
  impact: string | null;
  nodes: readonly Readonly<{ html: string; failureSummary: string }>[];
}>;

/** Waits until nothing moves or fades in any more: half-way through, places and contrasts are others. */
export async function atRest(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity);
    await Promise.all(ending.map(({ finished }) => finished.catch(() => {})));
  });
}

/** What axe finds wrong with the page as it is now, one line each. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await atRest(page);
  // Evaluated, not added as a script element: the page's own content policy forbids foreign scripts.
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const found: readonly Violation[] = await page.evaluate("axe.run().then((result) => result.violations)");
  return found.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} (${impact}): ${html}\n${failureSummary}`),
  );
}
