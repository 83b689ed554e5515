// A mail server that writes down what it is sent: node recorder.js SETTINGS.json
//
// The settings: name, which it greets with; address, port and tlsPort; user and password; anybody,
// whether it takes every user, password and token; hidden, extensions that it does not announce;
// clearLogin, whether it takes passwords in clear text; size, the largest mail in bytes; cert and key,
// the names of files; out, a folder for one JSON file per mail.
"use strict";

const fs = require("fs");
const path = require("path");
const { SMTPServer } = require("smtp-server");

const settings = JSON.parse(fs.readFileSync(process.argv[2]));
const hidden = Object.fromEntries(settings.hidden.map((extension) => [`hide${extension}`, true]));
let mails = 0;

const options = {
  ...hidden,
  name: settings.name,
  hideDSN: settings.hidden.includes("DSN"),
  hideENHANCEDSTATUSCODES: false,
  authOptional: true,
  authMethods: settings.anybody ? ["PLAIN", "LOGIN", "XOAUTH2"] : ["PLAIN", "LOGIN"],
  allowInsecureAuth: settings.clearLogin,
  size: settings.size,
  cert: fs.readFileSync(settings.cert),
  key: fs.readFileSync(settings.key),
  onAuth({ method, username, password, accessToken }, session, done) {
    session.login = { method, username, secret: password || accessToken };
    if (settings.anybody) return done(null, { user: username });
    if (username === settings.user && password === settings.password) return done(null, { user: username });
    done(Object.assign(new Error("Wrong user or password"), { responseCode: 535 }));
  },
  onRcptTo({ address }, session, done) {
    done(address.startsWith("reject") ? Object.assign(new Error("No such mailbox"), { responseCode: 550 }) : null);
  },
  onData(stream, { envelope, user, secure, id, login }, done) {
    const chunks = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("end", () => {
      const mail = { envelope, user: user || null, login, secure, connection: id, bytes: Buffer.concat(chunks).toString("latin1") };
      const name = path.join(settings.out, String(++mails).padStart(6, "0"));
      fs.writeFileSync(`${name}.part`, JSON.stringify(mail));
      fs.renameSync(`${name}.part`, `${name}.json`);
      done();
    });
  },
};

const clear = new SMTPServer(options);
const secure = new SMTPServer({ ...options, secure: true });
// A client that hangs up is no reason to end; a port that is taken is one.
for (const server of [clear, secure]) {
  server.on("error", (error) => {
    console.error(error.message);
    if (error.syscall === "listen") process.exit(1);
  });
}
secure.listen(settings.tlsPort, settings.address, () => clear.listen(settings.port, settings.address));
