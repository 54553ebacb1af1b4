import { timingSafeEqual } from "node:crypto";
import { Problem } from "../../../shared/problem.ts";

/**
 * Lets a request pass that brings the operator's token as a bearer. Rejects with OPERATOR_DISABLED where no token is set: nobody may
 * change anything then, loopback or not; with UNAUTHENTICATED otherwise. How long it takes says nothing of the token.
 */
export function requireToken(request: Request, token: string | null): void {
  if (token === null)
    throw new Problem(
      "OPERATOR_DISABLED",
      "Set OPERATOR_TOKEN in the environment of the operator role and start it again",
    );
  const [, given = ""] = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (!timingSafeEqual(digest(given), digest(token)))
    throw new Problem("UNAUTHENTICATED", "The operator's token is needed: Authorization: Bearer <OPERATOR_TOKEN>");
}

function digest(text: string): Uint8Array {
  return new Bun.CryptoHasher("sha256").update(text).digest();
}
