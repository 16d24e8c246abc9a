import { common } from "./common";
import { signIn } from "./sign-in";

export const en = { common, signIn };
