// Sends one mail with smtpstarttls = yes and prints what came of it: for a test that trusts an authority of its own.
import { sendBySmtp } from '../../src/alert/mail.ts'

const mailbox = { name: '', address: 'ops@example.test' }
const outcome = await sendBySmtp(
  { from: mailbox, to: [mailbox], subject: 'x', text: 'x\n', date: new Date(0), messageId: 'x@example.test' },
  {
    server: {
      host: 'localhost',
      port: Number(process.argv[2]),
      starttls: 'yes',
      login: undefined,
      password: undefined,
    },
    sender: 'root@example.test',
    waiting: new Set([mailbox.address]),
  },
  AbortSignal.timeout(15_000),
)
process.stdout.write(JSON.stringify(outcome))
