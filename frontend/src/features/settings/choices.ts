/** The browser's own lists, plus what is set already: the server may know a zone or a currency that the browser does not. */
const withCurrent = (known: readonly string[], ...more: string[]) => [...new Set([...more, ...known])].sort();

export const timeZones = (current: string) => withCurrent(Intl.supportedValuesOf("timeZone"), "UTC", current);

const names = new Intl.DisplayNames("en", { type: "currency", fallback: "none" });

function currencyName(code: string): string | undefined {
  try {
    return names.of(code);
  } catch {
    // Codes of four or five letters are fine for the server, and an error here.
    return undefined;
  }
}

export const currencies = (current: string) =>
  withCurrent(Intl.supportedValuesOf("currency"), current).map((code) => {
    const name = currencyName(code);
    return { code, title: name ? `${code} – ${name}` : code };
  });
