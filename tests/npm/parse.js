// Reads mails as another program would: node parse.js < mail > what-it-says.json
"use strict";

const { simpleParser } = require("mailparser");

const people = (header) => ((header && header.value) || []).map(({ name, address }) => ({ name, address }));

// The text and the pages as they stand in the mail: nothing is made of anything else.
simpleParser(process.stdin, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true }).then((mail) => {
  console.log(
    JSON.stringify({
      from: people(mail.from),
      to: people(mail.to),
      cc: people(mail.cc),
      bcc: people(mail.bcc),
      subject: mail.subject || "",
      messageId: mail.messageId,
      date: mail.date,
      priority: mail.headers.get("priority") || "",
      text: mail.text || "",
      html: mail.html || "",
      headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line.slice(key.length + 1).trim()])),
      files: mail.attachments.map((file) => ({
        name: file.filename,
        type: file.contentType,
        disposition: file.contentDisposition,
        cid: file.cid,
        related: file.related,
        bytes: file.content.toString("base64"),
      })),
    }),
  );
});
