import type { Case, Outcome } from './beside-perl.ts'

export const head = `# The services, compared with Perl ldirectord

Made by the tests with real servers: do not edit. After a change run \`UPDATE_DOCS=1 npm test -- --servers\`.

Debian's ldirectord and ours read the same file and asked the same real server, one after the other. *Stopped* is
\`SIGSTOP\`: the kernel accepts and the server says nothing. *Killed* is \`SIGKILL\`: the port is closed. *No verdict* means
that Perl ldirectord had not said a word after ten times the time-out in the file; meanwhile it checks nothing else.
Ours stands with its reason. Numbers: [differences.md](differences.md).

Perl ldirectord asks for \`imap\` and \`imaps\` at ports 143 and 993 whatever the file says (D28), so Dovecot listened there, in a
network namespace, save where a port of its own is spoken of. Trusting the server's certificate was arranged for Perl
ldirectord wherever nothing else is said.

Not compared: \`oracle\`, for which there is no server, and \`ping\` and \`external-perl\`, of which Perl ldirectord writes no verdict.

| Service | Server | Perl ldirectord | ldirectord-ng | Why they differ |
|---|---|---|---|---|
`

export function rowOf({ service, state, differs }: Case, { perl, ours }: Outcome): string {
  return `| \`${service}\` | ${state} | ${perl} | ${ours.replace(' ', ', ')} | ${differs?.why ?? ''} |`
}
