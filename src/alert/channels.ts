import { randomUUID } from 'node:crypto'
import type { Alert, MailServer } from '../config/model.ts'
import { printable } from '../lib/printable.ts'
import { hostPort } from '../model/service.ts'
import { runAlertCommand } from './command.ts'
import { type Delivery, type Destination, failed } from './delivery.ts'
import { composeMail, type Mail, sendBySmtp } from './mail.ts'
import { type AlertMessage, bodyOf, environmentOf, jsonOf, type Speaker, titleOf } from './message.ts'
import { type Mailbox, mailboxOf, recipientsOf } from './recipients.ts'
import { sendByProgram } from './sendmail.ts'
import { postJson } from './webhook.ts'

export interface ChannelContext extends Speaker {
  /** `emailalertfrom`. */
  readonly from: string | undefined
  /** Name of the account the daemon runs as: the sender where the file names none. */
  readonly user: string
  readonly sendmailPaths: readonly string[]
}

const mailWithinMs = 60_000
const commandWithinMs = 30_000
const webhookWithinMs = 15_000

/** The ways one alert goes out: mail, command and webhook, each where the section asks for it. */
export function deliveriesOf(message: AlertMessage, alert: Alert, context: ChannelContext): readonly Delivery[] {
  return [
    ...(alert.to === undefined || alert.to === '' ? [] : [mailDelivery(message, alert, context)]),
    ...(alert.command === undefined ? [] : [commandDelivery(message, alert.command, context)]),
    ...(alert.webhook === undefined ? [] : [webhookDelivery(message, alert.webhook, context)]),
  ]
}

function mailDelivery(message: AlertMessage, { to = '', smtp }: Alert, context: ChannelContext): Delivery {
  const recipients = recipientsOf(to)
  const configured = context.from === undefined ? undefined : mailboxOf(context.from)
  const ours: Mailbox = { name: '', address: `${context.user}@${context.host}` }
  const from = configured ?? (smtp === undefined ? undefined : ours)
  const mail: Mail = {
    from,
    to: recipients,
    subject: printable(titleOf(message)),
    text: bodyOf(message, context),
    date: new Date(message.at),
    messageId: `${randomUUID()}@${context.host}`,
  }
  const subject = message.subject
  const destination = mailDestination(to, smtp)
  if (recipients.length === 0) {
    const text = `no address in emailalert: ${printable(to, 100)}`
    return { to: destination, subject, attempt: async () => failed(text, { retry: false }) }
  }
  if (smtp !== undefined) {
    const waiting = new Set(recipients.map(({ address }) => address))
    const post = { server: smtp, sender: (configured ?? ours).address, waiting }
    return { to: destination, subject, attempt: (signal) => sendBySmtp(mail, post, signal) }
  }
  const local = { sender: configured?.address, paths: context.sendmailPaths }
  return {
    to: destination,
    subject,
    attempt: async (signal) => sendByProgram({ message: await composeMail(mail), ...local }, signal),
  }
}

/** Other recipients are another line: a mailbox that is full for an hour must not hold up the others. */
function mailDestination(to: string, smtp: MailServer | undefined): Destination {
  const target = smtp === undefined ? 'sendmail' : hostPort(smtp.host, smtp.port)
  const server = smtp === undefined ? 'sendmail' : `smtp ${target}`
  const line = JSON.stringify([target, smtp?.login, smtp?.starttls, to])
  return { channel: smtp === undefined ? 'sendmail' : 'smtp', target, line, server, withinMs: mailWithinMs }
}

/** One command at a time, whichever it is: a burst must not fill the machine with them. */
function commandDelivery(message: AlertMessage, command: readonly string[], context: ChannelContext): Delivery {
  const given = { command, input: jsonOf(message, context), environment: environmentOf(message, context) }
  const target = command[0] ?? ''
  return {
    to: { channel: 'command', target, line: command.join(' '), server: 'command', withinMs: commandWithinMs },
    subject: message.subject,
    attempt: (signal) => runAlertCommand(given, signal),
  }
}

/** The log names the host alone: the rest of such a URL is often a secret. */
function webhookDelivery(message: AlertMessage, webhook: string, context: ChannelContext): Delivery {
  const url = new URL(webhook)
  const body = jsonOf(message, context)
  return {
    to: { channel: 'webhook', target: url.origin, line: webhook, server: url.origin, withinMs: webhookWithinMs },
    subject: message.subject,
    attempt: (signal) => postJson(url, body, signal),
  }
}
