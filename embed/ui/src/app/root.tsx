import { createRootRoute } from "@tanstack/react-router";
import { Broken, Lost } from "../parts/Problems";
import { Gate } from "./Gate";

// root is the route that all screens are below.
export const root = createRootRoute({ component: Gate, notFoundComponent: Lost, errorComponent: Broken });
