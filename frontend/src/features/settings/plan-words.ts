import type { Plan } from "@/lib/api/models";

export const endedTitle = (plan: Pick<Plan, "plan">) =>
  `Your ${plan.plan === "trial" ? "trial" : "plan"} has ended: everything can be read, nothing changed`;
