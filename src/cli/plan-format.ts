import type { StepReport } from '../api/reload-routes.ts'
import { formatColumns } from './columns.ts'

export interface PlanForm {
  readonly json: boolean
  readonly format: 'ipvsadm' | undefined
}

/** The steps of a plan, for people, for `ipvsadm -R`, or as JSON. */
export function formatPlan(steps: readonly StepReport[], { json, format }: PlanForm): string {
  if (json) return `${JSON.stringify({ steps }, null, 2)}\n`
  if (format === 'ipvsadm') return steps.map(({ ipvsadm }) => `${ipvsadm}\n`).join('')
  if (steps.length === 0) return 'Nothing to change.\n'
  return formatColumns(steps.map(({ ipvsadm, reason }) => [ipvsadm, `# ${reason}`]))
}
