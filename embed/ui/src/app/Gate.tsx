import { lazy, Suspense } from "react";
import { Starting } from "../screens/sign-in/Starting";
import { useSession } from "./session";

const SignIn = lazy(() => import("../screens/sign-in/SignIn"));
const Lapsed = lazy(() => import("../screens/sign-in/Lapsed"));
const FirstPassword = lazy(() => import("../screens/sign-in/FirstPassword"));
const Shell = lazy(() => import("./shell/Shell"));

// Gate lets in who is signed in. The address stays what it is, so that a link into the
// interface leads to its screen once somebody has signed in.
export function Gate() {
  const current = useSession();
  switch (current.stage) {
    case "starting":
    case "away":
      return <Starting away={current.stage === "away"} />;
    case "out":
      return (
        <Suspense>
          <SignIn />
        </Suspense>
      );
    default:
      if (current.stage === "in" && current.first)
        return (
          <Suspense>
            <FirstPassword />
          </Suspense>
        );
      return (
        <Suspense fallback={<Starting away={false} />}>
          <Shell />
          {current.stage === "lapsed" && <Lapsed username={current.username} />}
        </Suspense>
      );
  }
}
