// The real app, roughly handled as a Functions host may: with ACTIVITIES_TWICE set, every activity is executed twice,
// and one of the two results is what the orchestration sees. And an orchestration can be terminated over HTTP, which
// the app itself does not offer.
const core = require('@azure/functions-core');
const { app } = require('@azure/functions');
const df = require('durable-functions');

/** Which of two executions is answered with. Only `soonest` leaves the other to itself. */
const ANSWERS = {
  /** Both at the same time. */
  first: (execute) => both(execute).then(([one]) => one),
  second: (execute) => both(execute).then(([, other]) => other),
  soonest: (execute) => Promise.race([execute(), execute()]),
  latest: (execute) => latest([execute(), execute()]),
  /** The second begins when the first has ended. */
  'in-turn': (execute) => execute().then(execute, execute),
};

const answer = ANSWERS[process.env.ACTIVITIES_TWICE];
if (answer) {
  core.registerHook('preInvocation', (context) => {
    if (context.invocationContext.options.trigger.type !== 'activityTrigger') return;
    const { functionCallback } = context;
    context.functionCallback = (...given) => answer(async () => functionCallback(...given));
  });
}

async function both(execute) {
  const ended = await Promise.allSettled([execute(), execute()]);
  return ended.map(({ status, value, reason }) => (status === 'fulfilled' ? value : Promise.reject(reason)));
}

/** What the one that ends last ends with. */
async function latest(executions) {
  let last;
  await Promise.all(
    executions.map((execution) =>
      execution.then(
        (value) => {
          last = () => value;
        },
        (error) => {
          last = () => {
            throw error;
          };
        },
      ),
    ),
  );
  return last();
}

app.http('terminate', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'terminate/{id}',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    await df.getClient(context).terminate(request.params.id, 'as asked');
    return { status: 202 };
  },
});

require('../../../../dist/index.cjs');
