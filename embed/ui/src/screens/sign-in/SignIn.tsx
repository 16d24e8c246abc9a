import { useState } from "react";
import { Frame } from "./Frame";
import { LostFactor, LostPassword } from "./Lost";
import { SignInForm } from "./SignInForm";

type Asked = { what: "sign-in" | "password" | "factor"; name: string };

export default function SignIn() {
  const [asked, setAsked] = useState<Asked>({ what: "sign-in", name: "" });
  const back = () => setAsked({ what: "sign-in", name: "" });
  return (
    <Frame>
      {asked.what === "sign-in" && <SignInForm lost={(what, name) => setAsked({ what, name })} />}
      {asked.what === "password" && <LostPassword name={asked.name} back={back} />}
      {asked.what === "factor" && <LostFactor name={asked.name} back={back} />}
    </Frame>
  );
}
