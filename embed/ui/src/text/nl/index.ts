import type { Texts } from "..";
import { common } from "./common";
import { signIn } from "./sign-in";

export const nl: Texts = { common, signIn };
