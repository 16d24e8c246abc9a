import type { Texts } from "..";

export const account: Texts["account"] = {
  title: "Mijn account",
  about: { name: "Naam", username: "Gebruikersnaam", email: "E-mailadres", organization: "Organisatie", roles: "Rollen" },
  password: { title: "Wachtwoord", current: "Huidig wachtwoord", submit: "Wachtwoord wijzigen", done: "Uw wachtwoord is gewijzigd. Andere sessies eindigen zodra hun toegangstoken eindigt." },
  factor: {
    title: "Tweede factor",
    off: "Deze server vraagt niet om een tweede factor.",
    on: "Uw authenticator is ingesteld.",
    left: (n) => (n === 0 ? "U hebt geen herstelcodes: zonder die kost een verloren authenticator een mail of de beheerder." : n === 1 ? "U hebt nog één herstelcode." : `U hebt nog ${n} herstelcodes.`),
    code: "Een verse code van uw authenticator",
    make: "Nieuwe herstelcodes maken",
    made: "Dit zijn uw herstelcodes. Elk werkt één keer in plaats van een code. Ze worden alleen nu getoond; eerdere zijn niets meer waard.",
    keep: "Codes downloaden",
  },
  keys: {
    title: "Privésleutels",
    text: "Resultaten in versleutelde samenwerkingen worden in deze browser ontsleuteld met de privésleutel van uw organisatie.",
    held: (file) => `${file} zit in het geheugen`,
    drop: "Sleutels vergeten",
  },
  sessions: {
    title: "Sessies",
    text: "Beëindigt al uw sessies, op alle apparaten.",
    submit: "Overal afmelden",
  },
};
