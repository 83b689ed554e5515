// An IMAP server that keeps its mails in memory: node hoodiecrow.js SETTINGS.json
//
// The settings: address, port and tlsPort; plugins, whose capabilities it has beyond
// IMAP4rev1; user and password; cert and key, the names of files.
"use strict";

const fs = require("fs");
const hoodiecrow = require("hoodiecrow-imap");

const settings = JSON.parse(fs.readFileSync(process.argv[2]));
const options = {
  plugins: settings.plugins,
  users: { [settings.user]: { password: settings.password } },
  credentials: { cert: fs.readFileSync(settings.cert), key: fs.readFileSync(settings.key) },
};
const clear = hoodiecrow(options);
const secure = hoodiecrow({ ...options, secureConnection: true });
// One mailbox behind both doors.
for (const held of ["storage", "folderCache", "uidnextCache"]) secure[held] = clear[held];
// Its parser (imap-handler 0.1.12) takes \" for \ in quoted strings.
for (const server of [clear, secure]) {
  const login = server.getCommandHandler("LOGIN");
  server.setCommandHandler("LOGIN", (connection, parsed, line, callback) => {
    const quoted = line.match(/"(\\.|[^"\\])*"/g) || [];
    (parsed.attributes || []).filter((value) => value.type === "STRING").forEach((value, place) => {
      value.value = quoted[place].slice(1, -1).replace(/\\(.)/g, "$1");
    });
    login(connection, parsed, line, callback);
  });
}
secure.listen(settings.tlsPort, settings.address, () => clear.listen(settings.port, settings.address));
