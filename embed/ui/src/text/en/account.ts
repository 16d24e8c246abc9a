export const account = {
  title: "My account",
  about: { name: "Name", username: "User name", email: "E-mail address", organization: "Organization", roles: "Roles" },
  password: { title: "Password", current: "Current password", submit: "Change password", done: "Your password is changed. Other sessions end as soon as their access token does." },
  factor: {
    title: "Second factor",
    off: "This server does not ask for a second factor.",
    on: "Your authenticator is set up.",
    left: (n: number) => (n === 0 ? "You have no recovery codes: without them a lost authenticator costs a mail or the administrator." : n === 1 ? "You have one recovery code left." : `You have ${n} recovery codes left.`),
    code: "A fresh code of your authenticator",
    make: "Make new recovery codes",
    made: "These are your recovery codes. Each works once in place of a code. They are shown this once; earlier ones are worth nothing now.",
    keep: "Download the codes",
  },
  keys: {
    title: "Private keys",
    text: "Results in encrypted collaborations are decrypted in this browser with the private key of your organization.",
    held: (file: string) => `${file} is in memory`,
    drop: "Forget the keys",
  },
  sessions: {
    title: "Sessions",
    text: "Ends every session of yours, on all devices.",
    submit: "Sign out everywhere",
  },
};
