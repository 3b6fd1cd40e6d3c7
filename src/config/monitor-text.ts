import type { Request } from '../check/fields.ts'
import type { ReceivePattern } from '../check/receive/receive.ts'
import type { CheckSettings } from './check-plan.ts'
import type { SectionValues } from './section.ts'

/** What the lines of a monitor file say of a section's checks, beside the real server (behaviour reference 2.8, 5.2). */
export interface MonitorText {
  /** Empty when it is not set, like the others. */
  readonly virtualHost: string
  readonly checkPort: string
  readonly checkCommand: string
  /** With the slash in front. */
  readonly request: string
  readonly receive: string
}

/** Undefined without a monitor file. What the section says counts, also where its check does not look at it. */
export function monitorTextOf({ options }: CheckSettings, values: SectionValues): MonitorText | undefined {
  if (values.monitorfile === undefined) return undefined
  const { virtualhost, checkcommand } = options
  const receive = options['receive'] as ReceivePattern | undefined
  const request = options['request'] as Request | undefined
  return {
    virtualHost: typeof virtualhost === 'string' ? virtualhost : '',
    checkPort: values.checkport === undefined ? '' : String(values.checkport),
    checkCommand: typeof checkcommand === 'string' ? checkcommand : '',
    request: request?.text ?? '/',
    receive: receive?.source ?? '',
  }
}
