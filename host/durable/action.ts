/** The actions of the out-of-process protocol of Durable Functions that this host supports. */
export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WhenAll: 12,
} as const;

/** The actions that this host does not support, by number. */
const UNSUPPORTED: Record<number, string> = {
  3: 'sub-orchestrations with retry (callSubOrchestratorWithRetry)',
  6: 'external events (waitForExternalEvent)',
  7: 'entities (callEntity)',
  8: 'durable HTTP (callHttp)',
  9: 'entities (signalEntity)',
  11: 'Task.any',
  13: 'entity locks',
  14: 'entity locks',
};

export interface RetryOptions {
  firstRetryIntervalInMilliseconds: number;
  maxNumberOfAttempts: number;
  backoffCoefficient?: number;
  maxRetryIntervalInMilliseconds?: number;
  retryTimeoutInMilliseconds?: number;
}

export type Action =
  | { actionType: typeof ActionType.CallActivity; functionName: string; input?: unknown }
  | {
      actionType: typeof ActionType.CallActivityWithRetry;
      functionName: string;
      input?: unknown;
      retryOptions: RetryOptions;
    }
  | { actionType: typeof ActionType.CallSubOrchestrator; functionName: string; instanceId?: string; input?: unknown }
  | { actionType: typeof ActionType.ContinueAsNew; input?: unknown }
  | { actionType: typeof ActionType.CreateTimer; fireAt: string; isCanceled: boolean }
  | { actionType: typeof ActionType.WhenAll; compoundActions: Action[] };

/** The answer of an orchestrator function: all actions since its start, in the order in which it waited for them. */
export interface OrchestratorState {
  isDone: boolean;
  actions: Action[][];
  output?: unknown;
  error?: string;
  customStatus?: unknown;
}

function unsupportedOption(action: Action): string | undefined {
  // The SDK ignores this timeout, and the orchestration hangs in Azure.
  if ('retryOptions' in action && action.retryOptions.retryTimeoutInMilliseconds !== undefined) {
    return 'retryTimeoutInMilliseconds';
  }
  return 'isCanceled' in action && action.isCanceled ? 'timers that are canceled' : undefined;
}

/** The name of the first feature among these actions that this host does not support. */
export function unsupportedFeature(actions: Action[]): string | undefined {
  for (const action of actions) {
    const name = UNSUPPORTED[action.actionType] ?? unsupportedOption(action);
    if (name !== undefined) return name;
    const inner = 'compoundActions' in action ? unsupportedFeature(action.compoundActions) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

export function isContinueAsNew(
  action: Action,
): action is Extract<Action, { actionType: typeof ActionType.ContinueAsNew }> {
  return action.actionType === ActionType.ContinueAsNew;
}
