import { optional, type Setting } from "../../../shared/role/config.ts";
import { Problem } from "../../../shared/problem.ts";
import { sameBytes } from "../../../shared/bytes.ts";
import { digestOf } from "../../../shared/digest.ts";

/**
 * OPERATOR_TOKEN; `null` closes the interface. At least 32 characters: it opens everything, and a password that
 * people can remember can be guessed, from many addresses at once. Visible ASCII, because it travels in a header.
 */
export const operatorToken: Setting<string | null> = {
  ...optional("OPERATOR_TOKEN"),
  parse: (value) => {
    if (value === "") return null;
    if (!/^[!-~]+$/.test(value)) throw new Error(`may have visible ASCII characters only; ${advice}`);
    if (value.length < 32) throw new Error(`must have at least 32 characters, because it opens everything; ${advice}`);
    if (new Set(value).size < 8) throw new Error(`repeats too few characters; ${advice}`);
    return value;
  },
};
const advice = "make one by `openssl rand -hex 32`";

/**
 * Lets a request pass that brings the operator's token as a bearer. Rejects with OPERATOR_DISABLED where no token is
 * set: nobody may change anything then, loopback or not; with UNAUTHENTICATED otherwise. How long it takes says nothing
 * of the token.
 */
export function requireToken(request: Request, token: string | null): void {
  if (token === null)
    throw new Problem(
      "OPERATOR_DISABLED",
      "Set OPERATOR_TOKEN in the environment of the operator role and start it again",
    );
  const [, given = ""] = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (!sameBytes(digestOf("sha256", given), digestOf("sha256", token)))
    throw new Problem("UNAUTHENTICATED", "The operator's token is needed: Authorization: Bearer <OPERATOR_TOKEN>");
}
