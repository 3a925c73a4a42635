/** What an orchestrator function answers: everything it has asked for since its start, in the order it waited for it. */
export const ActionType = {
  CallActivity: 0,
  CallActivityWithRetry: 1,
  CallSubOrchestrator: 2,
  CallSubOrchestratorWithRetry: 3,
  ContinueAsNew: 4,
  CreateTimer: 5,
  WaitForExternalEvent: 6,
  WhenAny: 11,
  WhenAll: 12,
} as const;

/** Actions of the protocol that this host does not carry out, by number. */
const UNSUPPORTED: Record<number, string> = {
  7: 'entities (callEntity)',
  8: 'durable HTTP (callHttp)',
  9: 'entities (signalEntity)',
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
  | {
      actionType: typeof ActionType.CallSubOrchestratorWithRetry;
      functionName: string;
      instanceId?: string;
      input?: unknown;
      retryOptions: RetryOptions;
    }
  | { actionType: typeof ActionType.ContinueAsNew; input?: unknown }
  | { actionType: typeof ActionType.CreateTimer; fireAt: string; isCanceled: boolean }
  | { actionType: typeof ActionType.WaitForExternalEvent; externalEventName: string }
  | { actionType: typeof ActionType.WhenAny | typeof ActionType.WhenAll; compoundActions: Action[] };

export interface OrchestratorState {
  isDone: boolean;
  actions: Action[][];
  output?: unknown;
  error?: string;
  customStatus?: unknown;
}

function unsupportedRetry(action: Action): string | undefined {
  const timeout = 'retryOptions' in action ? action.retryOptions.retryTimeoutInMilliseconds : undefined;
  // The SDK does not heed it, and orchestrations with it hang in Azure.
  return timeout === undefined ? undefined : 'retryTimeoutInMilliseconds';
}

/** The name of the first feature among these actions that this host does not have. */
export function unsupportedFeature(actions: Action[]): string | undefined {
  for (const action of actions) {
    const name = UNSUPPORTED[action.actionType] ?? unsupportedRetry(action);
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
