import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { RedpandaFiles } from "../files.ts";
import { understandRpk } from "../rpk/understand.ts";

const checkout = join(import.meta.dirname, "../../..");

/**
 * The pages: `rpk` lines that rpk understands, and links that lead somewhere. `ops` lines are tested with the tool's
 * own parser.
 */
export function examinePages(files: RedpandaFiles): readonly string[] {
  return [...files]
    .filter(([path]) => path.endsWith(".md"))
    .flatMap(([path, content]) =>
      [
        ...shellLines(content).flatMap((line) => rpkWords(line).flatMap(understandRpk)),
        ...brokenLinks(path, content),
      ].map((complaint) => `${path}: ${complaint}`),
    );
}

/**
 * The lines of the shell blocks and of code spans in tables, without comments; a line that ends in a backslash goes on
 * in the next.
 */
export function shellLines(text: string): readonly string[] {
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, lines = ""]) => lines.replaceAll(/\\\n\s*/g, " "));
  const spans = [...text.replaceAll(/```[\s\S]*?```/g, "").matchAll(/`((?:rpk|npx bun run ops) [^`]+)`/g)].map(
    ([, span = ""]) => span,
  );
  return [...blocks.flatMap((block) => block.split("\n")), ...spans].map((line) => line.replace(/\s+#.*$/, "").trim());
}

/** The words of a line; quoted ones stay together. */
export const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? "");

/** The words after `rpk` of each command in a line. */
function rpkWords(line: string): readonly (readonly string[])[] {
  return line
    .split(/ \| | && |; /)
    .map(wordsOf)
    .flatMap((words) => (words.includes("rpk") ? [words.slice(words.indexOf("rpk") + 1)] : []));
}

function brokenLinks(path: string, content: string): readonly string[] {
  return [...content.matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !existsSync(join(checkout, normalize(join("redpanda", dirname(path), target)))))
    .map((target) => `leads to ${target}, which is not there`);
}
