// A person with a browser: node browser.mjs open URL [LOGIN_HINT]   signs in and follows where that leads
//                          node browser.mjs enter URL CODE yes|no   enters the code of another device
//
// The last page is printed. Cookies are kept, scripts are not run.
import dns from "node:dns";

dns.setDefaultResultOrder("ipv4first");
const cookies = new Map();

async function go(url, form) {
  for (let hops = 0; hops < 20; hops += 1) {
    const response = await fetch(url, {
      redirect: "manual",
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      headers: { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie?.() ?? response.headers.get("set-cookie")?.split(/, (?=[^;]+=)/) ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(name, value);
    }
    const next = response.headers.get("location");
    if (!next) return { url, text: await response.text() };
    [url, form] = [new URL(next, url).href, undefined];
  }
  throw new Error("redirected in a circle");
}

function fields({ url, text }) {
  const hidden = [...text.matchAll(/<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)];
  const action = /action="([^"]+)"/.exec(text)[1].replaceAll("&amp;", "&");
  return [new URL(action, url).href, Object.fromEntries(hidden.map(([, name, value]) => [name, value]))];
}

const [what, address, given, answer] = process.argv.slice(2);
if (what === "open") {
  const page = new URL(address);
  if (given) page.searchParams.set("login_hint", given);
  console.log((await go(page.href)).text);
} else {
  let [action, form] = fields(await go(address));
  const confirm = await go(action, { ...form, user_code: given });
  [action, form] = fields(confirm);
  const choice = answer === "yes" ? { confirm: "yes" } : { confirm: "yes", abort: "yes" };
  console.log((await go(action, { ...form, ...choice, user_code: given })).text);
}
