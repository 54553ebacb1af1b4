import { z } from "@hono/zod-openapi";
import { deriveId } from "../messages/derive-id.ts";
import { Problem } from "../problem.ts";

/**
 * Text that keeps its identity in a database: lone surrogates would be stored as one and the same sign, NUL not at all.
 */
const plainText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));

const claimsShape = z.object({
  sub: plainText(1024),
  iss: plainText(2048).optional(),
  /** Stored as a key, and an index entry has 2,704 bytes at most. */
  jti: plainText(512).optional(),
  /** Up to the year 9999: later is no date that everybody can write. */
  exp: z.number().positive().max(253_402_300_799),
});
type TokenClaims = z.infer<typeof claimsShape>;

/**
 * The claims this product reads. Throws UNAUTHENTICATED for others than the standards allow, however well they are
 * signed.
 */
export function readClaims(payload: unknown): TokenClaims {
  const { data } = claimsShape.safeParse(payload);
  if (data === undefined) throw new Problem("UNAUTHENTICATED");
  return data;
}

/** Versions 1 to 8 but for 5, in the one spelling that RFC 9562 asks to be written. */
const givenUuid = /^[\da-f]{8}-[\da-f]{4}-[1-46-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/**
 * The user an identity provider's subject stands for: a UUID stands for itself, any other text for a UUIDv5 of issuer
 * and subject, the same for ever. A subject that is a version 5 UUID, or has capitals, is such other text: it could
 * name a user whose id was computed, or was spelled in small letters.
 */
export function userOfSubject({ sub, iss = "" }: Pick<TokenClaims, "sub" | "iss">): string {
  return givenUuid.test(sub) ? sub : userOfIssuer({ sub, iss });
}

/**
 * The same where issuers are not compared: a subject is unique within its issuer alone (OpenID Connect §2), a UUID as
 * well.
 */
export function userOfIssuer({ sub, iss = "" }: Pick<TokenClaims, "sub" | "iss">): string {
  return deriveId("subject", iss, sub);
}

/** A development token was made here and names the user itself: its subject is nobody's choice. */
export function userOfDevToken({ sub }: Pick<TokenClaims, "sub">): string {
  if (!z.uuid().safeParse(sub).success) throw new Problem("UNAUTHENTICATED");
  return sub;
}

/**
 * What sign-out ends: the `jti`, else a digest of what was signed. Not of the whole token: one signature has several
 * spellings. It is one user's; the same `jti` of another user is another session.
 */
export function sessionOfToken({ jti }: Pick<TokenClaims, "jti">, token: string): string {
  return jti ?? deriveId("session", token.slice(0, token.lastIndexOf(".")));
}
