import { account } from "./account";
import { common } from "./common";
import { overview } from "./overview";
import { results } from "./results";
import { signIn } from "./sign-in";
import { tasks } from "./tasks";

export const en = { account, common, overview, results, signIn, tasks };
