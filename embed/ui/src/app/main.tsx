import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./base.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "../api/queries";
import { Words } from "../text/Words";
import { place } from "./place";
import { router } from "./router";
import { resume } from "./session";
import { theme, variables } from "./theme";

setNonce(place.nonce); // for styles that dialogs add, as getStyleNonce is for those of Mantine itself
void resume();
// The way to the icon is relative to the page that was loaded, not to the screens that follow it.
for (const icon of document.querySelectorAll<HTMLLinkElement>("link[rel=icon]")) icon.href = new URL(icon.href).href;

createRoot(document.getElementById("app")!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => place.nonce}>
      <QueryClientProvider client={queries}>
        <Words>
          <Notifications position="bottom-right" />
          <RouterProvider router={router} />
        </Words>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
