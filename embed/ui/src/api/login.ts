// Signing in, and what helps who cannot.
import { queryOptions } from "@tanstack/react-query";
import { answer, api, Problem, type Schemas } from "./client";

export type LogIn = Schemas["UserTokens"] | Schemas["SecondFactorSetUp"] | "code";

// logIn tells the tokens, what an authenticator has to scan first, or "code": the code is asked for.
export async function logIn(username: string, password: string, code?: string): Promise<LogIn> {
  const told = await answer(api.POST("/token/user", { body: { username, password, ...(code ? { mfa_code: code } : {}) } }));
  if ("access_token" in told || "qr_uri" in told) return told;
  return "code";
}

export type Refusal = "refused" | "code" | "busy" | undefined;

// refusalOf names the refusals of a log-in that have words of their own.
export function refusalOf(problem: unknown, withCode: boolean): Refusal {
  if (!(problem instanceof Problem)) return undefined;
  if (problem.status === 401) return withCode && /code/i.test(problem.message) ? "code" : "refused";
  return problem.status === 429 ? "busy" : undefined;
}

export const changePassword = (current: string, next: string) =>
  answer(api.PATCH("/password/change", { body: { current_password: current, new_password: next } }));

const nameOrMail = (text: string) => (text.includes("@") ? { email: text } : { username: text });

export const askPasswordToken = (who: string) => answer(api.POST("/recover/lost", { body: nameOrMail(who) as never }));

export const resetPassword = (token: string, password: string) =>
  answer(api.POST("/recover/reset", { body: { reset_token: token.trim(), password } }));

export const askFactorToken = (who: string, password: string) =>
  answer(api.POST("/recover/2fa/lost", { body: { ...nameOrMail(who), password } as never }));

export const resetFactor = (token: string) => answer(api.POST("/recover/2fa/reset", { body: { reset_token: token.trim() } }));

// policy is what a password must have, in the order in which the server looks (/docs/tokens#password-policy).
export const policy = {
  length: (text: string) => [...text].length >= 8 && [...text].length <= 128,
  digit: (text: string) => /[0-9]/.test(text),
  upper: (text: string) => /[A-Z]/.test(text),
  lower: (text: string) => /[a-z]/.test(text),
  special: (text: string) => /[^\p{L}\p{N}]/u.test(text),
};

export const meetsPolicy = (text: string) => Object.values(policy).every((holds) => holds(text));

export const secondFactor = queryOptions({
  queryKey: ["user", "second-factor"],
  queryFn: () => answer(api.GET("/second-factor")),
});

export const makeRecoveryCodes = (code: string) => answer(api.POST("/second-factor/recovery-codes", { body: { mfa_code: code } }));

// revokeAll ends all sessions of the user.
export const revokeAll = () => answer(api.POST("/token/revoke"));
