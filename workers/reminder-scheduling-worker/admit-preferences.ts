import { webhooksOf, withSecrets } from "../../shared/preferences/channel-links.ts";
import type { Preferences } from "../../shared/preferences/preferences.ts";
import { isSecretHint, isWebhookSecret, secretHint } from "../../shared/preferences/webhook-secret.ts";
import { Problem, type Mistake } from "../../shared/problem.ts";
import { leadsInside } from "../../shared/http/public-address.ts";

/**
 * The preferences as they are to be stored: a webhook's secret that is left out, or given as the hint that is shown of
 * it, is the one that was kept. Pure. Throws INVALID_REQUEST, naming each, for a secret that is none or not kept, and
 * for a webhook not among those `before` whose URL holds a password or leads inside a network. What was there before
 * stays as it is, whatever it would be refused for today.
 */
export function admitPreferences(
  wanted: Preferences,
  before: Preferences,
  { allowPrivate }: Readonly<{ allowPrivate: boolean }>,
): Preferences {
  const kept = webhooksOf(before);
  const mistakes: Mistake[] = [];
  const admitted = withSecrets(wanted, ({ url, secret }, path) => {
    const known = kept.filter((webhook) => webhook.url === url);
    const wrong = known.length > 0 ? null : refusalOf(url, allowPrivate);
    if (wrong !== null) mistakes.push({ path: `${path}/url`, message: wrong });
    if (secret !== "" && !isSecretHint(secret)) {
      if (!isWebhookSecret(secret) && kept.every((webhook) => webhook.secret !== secret))
        mistakes.push({ path: `${path}/secret`, message: "is not whsec_ and 24 to 64 bytes in base64" });
      return secret;
    }
    const meant =
      secret === "" ? known[0] : [...known, ...kept].find((webhook) => secretHint(webhook.secret) === secret);
    if (meant !== undefined) return meant.secret;
    const message = secret === "" ? "is missing: none is kept for this URL" : "is the hint of no secret that is kept";
    mistakes.push({ path: `${path}/secret`, message });
    return secret;
  });
  if (mistakes.length > 0) throw new Problem("INVALID_REQUEST", undefined, { mistakes });
  return admitted;
}

/** The preferences as they are shown: of each secret its hint alone. */
export function showPreferences(settings: Preferences): Preferences {
  return withSecrets(settings, ({ secret }) => secretHint(secret));
}

function refusalOf(text: string, allowPrivate: boolean): string | null {
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    return "holds a user name or password, which lists would show; what is posted is signed instead";
  return !allowPrivate && leadsInside(url)
    ? `leads to ${url.hostname}, which is not of the public internet; the operator may allow it (NOTIFY_ALLOW_PRIVATE_ADDRESSES)`
    : null;
}
