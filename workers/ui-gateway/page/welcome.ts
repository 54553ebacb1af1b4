import { byId, element } from "../../../shared/page/element.ts";
import * as api from "./api.ts";
import { nameInToken, rememberName } from "./people.ts";
import { isSignedOut } from "./request.ts";

type WelcomeDeps = Readonly<{
  onSignedIn: (userId: string) => Promise<void>;
  /** The sentence for what went wrong. */
  messageOf: (error: unknown) => string;
}>;

type Welcome = Readonly<{
  /** Asks who is there; `why` says what has happened. */
  show: (why: string) => void;
  hide: () => void;
}>;

/** Lets a person sign in, in the way this server takes: by any name while it is developed, else by a token. */
export function makeWelcome({ onSignedIn, messageOf }: WelcomeDeps): Welcome {
  const section = byId("welcome");
  const problem = byId("welcome-problem");
  const [byName, byToken] = [byId<HTMLFormElement>("sign-in"), byId<HTMLFormElement>("sign-in-token")];
  const say = (text: string) => {
    problem.textContent = text;
    problem.hidden = text === "";
  };
  const showWay = async () => {
    const way = await api.howToSignIn();
    const shown = way.by === "name" ? byName : byToken;
    for (const form of [byName, byToken]) form.hidden = form !== shown;
    byId("sign-in-link").replaceChildren(
      ...(way.url === null ? [] : [element("a", { class: "button", href: way.url }, "Sign in with your account")]),
    );
    shown.querySelector("input")?.focus();
  };
  const onSubmit = (form: HTMLFormElement, signIn: (said: string) => Promise<string>) =>
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [field, button] = [form.querySelector("input"), form.querySelector("button")];
      if (field === null || button === null) return;
      say("");
      button.disabled = true;
      void signIn(field.value.trim())
        .then((userId) => {
          field.value = "";
          return onSignedIn(userId);
        })
        .catch((error: unknown) => say(messageOf(error)))
        .finally(() => (button.disabled = false));
    });
  onSubmit(byName, async (name) => {
    const { user_id } = await api.signIn(name);
    rememberName(user_id, name);
    return user_id;
  });
  onSubmit(byToken, async (said) => {
    const token = said.replace(/^bearer\s+/i, "");
    const { user_id } = await api.keepToken(token).catch((error: unknown) => {
      throw isSignedOut(error)
        ? new Error(
            "The server does not take this token: it has expired, was cut short or is meant for another server.",
          )
        : error;
    });
    rememberName(user_id, nameInToken(token) ?? user_id.slice(0, 8));
    return user_id;
  });
  return {
    show: (why) => {
      section.hidden = false;
      byId("welcome-why").textContent = why;
      byId("welcome-why").hidden = why === "";
      say("");
      void showWay().catch((error: unknown) => say(messageOf(error)));
    },
    hide: () => {
      section.hidden = true;
    },
  };
}
