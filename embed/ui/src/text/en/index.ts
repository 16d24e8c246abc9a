import { common } from "./common";
import { results } from "./results";
import { signIn } from "./sign-in";
import { tasks } from "./tasks";

export const en = { common, results, signIn, tasks };
