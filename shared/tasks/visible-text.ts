import { z } from "@hono/zod-openapi";

/** What a person sees: a character that is no space, no control and none of those that are drawn as nothing. */
const visible = /[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;
/**
 * The same for clients, as far as every dialect of regular expressions can say it: one line with something in it,
 * trimmed or not.
 */
const linePattern = "^\\s*[^\\x00-\\x1f\\x7f-\\x9f\\s][^\\x00-\\x1f\\x7f-\\x9f]*\\s*$";
const linesPattern = "^[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]*$";
const control = /\p{Cc}/u;
const controlInLines = /[^\P{Cc}\t\n\r]/u;

/**
 * One line of at most `maxLength` UTF-16 units, as sent and as kept, in which a person sees something; spaces around it
 * are dropped. `composed`: in NFC, so that it is one text however a keyboard makes its letters.
 */
export function visibleLine(maxLength: number, { composed = false }: Readonly<{ composed?: boolean }> = {}) {
  const sent = z.string().max(maxLength, { abort: true });
  return (composed ? sent.normalize("NFC") : sent)
    .trim()
    .min(1, { error: "is empty", abort: true })
    .max(maxLength, { abort: true })
    .refine((text) => visible.test(text), { error: "has nothing that a person can see", abort: true })
    .refine((text) => !control.test(text), "has a control character")
    .openapi({ pattern: linePattern });
}

/** Text of several lines; line ends and tabs are the only control characters it may have. */
export function visibleLines(maxLength: number) {
  return z
    .string()
    .max(maxLength, { abort: true })
    .refine((text) => !controlInLines.test(text), "has a control character")
    .openapi({ pattern: linesPattern });
}
