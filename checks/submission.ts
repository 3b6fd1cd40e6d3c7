import { smtp } from './smtp.ts'

/** The smtp check on the port where mail programs hand in their mail. */
export const submission: typeof smtp = {
  ...smtp,
  name: 'submission',
  summary: 'as smtp, on the submission port',
  defaultForPorts: [587],
}
