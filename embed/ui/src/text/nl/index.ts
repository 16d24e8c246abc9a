import type { Texts } from "..";
import { account } from "./account";
import { common } from "./common";
import { overview } from "./overview";
import { results } from "./results";
import { signIn } from "./sign-in";
import { tasks } from "./tasks";
import { collaborations } from "./collaborations";
import { nodes } from "./nodes";
import { organizations } from "./organizations";
import { roles } from "./roles";
import { server } from "./server";
import { users } from "./users";

export const nl: Texts = { account, collaborations, common, nodes, organizations, overview, results, roles, server, signIn, tasks, users };
