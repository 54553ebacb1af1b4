// The roles that people ask, by what they ask them about.

export const tasks = "task-service" as const;
export const series = "recurring-task-worker" as const;
export const reminders = "reminder-service" as const;
export const notifications = "notification-service" as const;
export const preferences = "reminder-scheduling-worker" as const;
