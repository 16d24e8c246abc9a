import type { Texts } from "..";
import { common } from "./common";
import { results } from "./results";
import { signIn } from "./sign-in";
import { tasks } from "./tasks";

export const nl: Texts = { common, results, signIn, tasks };
