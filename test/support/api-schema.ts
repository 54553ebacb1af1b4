// Generated from the routes by `npx bun run gen`; do not edit.

export interface paths {
  "/v1/batch": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["runBatch"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/export.ics": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["exportCalendar"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listNotifications"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/endpoints": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listNotificationEndpoints"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/endpoints/{id}/enable": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["enableNotificationEndpoint"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/endpoints/{id}/test": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["testNotificationEndpoint"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/read-all": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["readAllNotifications"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/unread": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["countUnreadNotifications"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getNotification"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/{id}/read": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["readNotification"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/notifications/{id}/resend": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["resendNotification"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/preferences": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getPreferences"];
    put: operations["putPreferences"];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch: operations["updatePreferences"];
    trace?: never;
  };
  "/v1/quick-add": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["quickAddTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/reminders": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listReminders"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/reminders/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getReminder"];
    put?: never;
    post?: never;
    delete: operations["deleteReminder"];
    options?: never;
    head?: never;
    patch: operations["updateReminder"];
    trace?: never;
  };
  "/v1/reminders/{id}/dismiss": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["dismissReminder"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/reminders/{id}/snooze": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["snoozeReminder"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listSeries"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getSeries"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/history": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getSeriesHistory"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/occurrences": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listSeriesOccurrences"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/occurrences/{recurrence_id}/complete": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["completeSeriesOccurrence"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/occurrences/{recurrence_id}/move": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["moveSeriesOccurrence"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/occurrences/{recurrence_id}/skip": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["skipSeriesOccurrence"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/occurrences/{recurrence_id}/unskip": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["unskipSeriesOccurrence"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/skip": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["skipSeriesRange"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/series/{id}/unskip": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["unskipSeriesRange"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/session": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getSession"];
    put?: never;
    post: operations["createSession"];
    delete: operations["deleteSession"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/session/cookie": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["keepSessionCookie"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sign-in": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getWayToSignIn"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/stream": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["openStream"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/stream/ticket": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["createStreamTicket"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/sync": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["pollChanges"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/tags": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listTags"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/tasks": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listTasks"];
    put?: never;
    post: operations["createTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/tasks/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["getTask"];
    put?: never;
    post?: never;
    delete: operations["deleteTask"];
    options?: never;
    head?: never;
    patch: operations["updateTask"];
    trace?: never;
  };
  "/v1/tasks/{id}/complete": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["completeTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/tasks/{id}/reminders": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get: operations["listTaskReminders"];
    put?: never;
    post: operations["createTaskReminder"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/tasks/{id}/reopen": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["reopenTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/tasks/{id}/restore": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["restoreTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/tasks/{id}/stop-after": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["stopSeriesAfterTask"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export interface webhooks {
  "reminder.triggered": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["onReminderTriggered"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "reminder.digest": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["onReminderDigest"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "endpoint.test": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post: operations["onEndpointTest"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export interface components {
  schemas: {
    ReminderTriggeredWebhook: {
      /** @constant */
      type: "reminder.triggered";
      timestamp: string;
      data: {
        id: string;
        user_id: string;
        reminder_id: string;
        task_id: string;
        title: string | null;
        remind_at: string | null;
        remind_at_local: string | null;
        tz: string;
        due_on: string | null;
        triggered_at: string;
        late_by: number | null;
      };
    };
    FiredReminder: {
      reminder_id: string;
      task_id: string;
      title: string | null;
      remind_at: string | null;
      remind_at_local: string | null;
      tz: string;
      due_on: string | null;
      triggered_at: string;
      late_by: number | null;
    };
    ReminderDigestWebhook: {
      /** @constant */
      type: "reminder.digest";
      timestamp: string;
      data: {
        id: string;
        user_id: string;
        reminders: components["schemas"]["FiredReminder"][];
      };
    };
    EndpointTestWebhook: {
      /** @constant */
      type: "endpoint.test";
      timestamp: string;
      data: {
        id: string;
        user_id: string;
      };
    };
    ReminderTask: {
      id: string;
      title: string;
      due_date: string | null;
      due_on: string | null;
      due_tz: string | null;
      /** @enum {string|null} */
      priority: "Low" | "Medium" | "High" | null;
      tags: string[];
      /** @enum {string} */
      status: "open" | "completed";
      completed_at: string | null;
      deleted_at: string | null;
    };
    NotifiedReminder: {
      reminder_id: string;
      task_id: string;
      title: string | null;
      remind_at: string | null;
      remind_at_local: string | null;
      tz: string;
      due_on: string | null;
      triggered_at: string;
      late_by: number | null;
      task?: components["schemas"]["ReminderTask"] | null;
    };
    Notification: {
      id: string;
      /** @enum {string} */
      kind: "reminder" | "digest";
      /** @enum {string} */
      channel: "in-app" | "log" | "webhook" | "email" | "operator-webhook";
      target: string | null;
      /** @enum {string} */
      status: "pending" | "bundled" | "delivered" | "failed" | "dropped" | "cancelled";
      reason: string | null;
      reminder_id: string | null;
      task_id: string | null;
      title: string | null;
      remind_at: string | null;
      remind_at_local: string | null;
      tz: string;
      due_on: string | null;
      triggered_at: string;
      late_by: number | null;
      due_at: string;
      attempts: number;
      possibly_duplicated: boolean;
      digest_id: string | null;
      fallback_of: string | null;
      reminders: components["schemas"]["NotifiedReminder"][];
      reminder_count: number;
      delivered_at: string | null;
      read_at: string | null;
      created_at: string;
      task?: components["schemas"]["ReminderTask"] | null;
    };
    NotificationPage: {
      items: components["schemas"]["Notification"][];
      next_cursor: string | null;
    };
    /** @enum {string} */
    ProblemCode:
      | "INVALID_REQUEST"
      | "MALFORMED_JSON"
      | "UNSUPPORTED_MEDIA_TYPE"
      | "BODY_TOO_LARGE"
      | "UNAUTHENTICATED"
      | "FORBIDDEN_ORIGIN"
      | "MALFORMED_REQUEST"
      | "NOT_FOUND"
      | "METHOD_NOT_ALLOWED"
      | "TASK_NOT_FOUND"
      | "REMINDER_NOT_FOUND"
      | "NOTIFICATION_NOT_FOUND"
      | "ENDPOINT_NOT_FOUND"
      | "SERIES_NOT_FOUND"
      | "OCCURRENCE_NOT_FOUND"
      | "OCCURRENCE_MADE"
      | "OCCURRENCE_REPLACED"
      | "TASK_DELETED"
      | "TASK_COMPLETED"
      | "TASK_IS_TEMPLATE"
      | "TASK_HAS_NO_SERIES"
      | "REMINDER_EXISTS"
      | "TOO_MANY_EXCEPTIONS"
      | "NOTIFICATION_NOT_READABLE"
      | "NOTIFICATION_IN_DIGEST"
      | "NOTIFICATION_CANCELLED"
      | "NOTIFICATION_TOO_OLD"
      | "ENDPOINT_DISABLED"
      | "VERSION_MISMATCH"
      | "BATCH_NOT_DONE"
      | "DEPENDENCY_FAILED"
      | "IDEMPOTENCY_KEY_REUSED"
      | "IDEMPOTENCY_IN_PROGRESS"
      | "REMINDER_FIRED"
      | "REMINDER_DISMISSED"
      | "SNOOZE_TOO_EARLY"
      | "REMINDER_FOLLOWS_TASK"
      | "QUOTA_EXCEEDED"
      | "RATE_LIMITED"
      | "TOO_MANY_STREAMS"
      | "TOO_MANY_REPLAYS"
      | "TOO_MANY_TESTS"
      | "UNAVAILABLE"
      | "INTERNAL"
      | "UNENCODABLE";
    Problem: {
      type: string;
      title: string;
      status: number;
      detail: string;
      instance: string;
      code: components["schemas"]["ProblemCode"];
      retryable: boolean;
      errors?: {
        path: string;
        message: string;
      }[];
      current?: {
        [key: string]: unknown;
      };
      results?: {
        [key: string]: unknown;
      }[];
    };
    NotificationEndpoint: {
      id: string;
      url: string;
      /** @enum {string} */
      state: "working" | "failing" | "open" | "disabled";
      failures: number;
      failing_since: string | null;
      open_until: string | null;
      disabled_at: string | null;
      disabled_reason: string | null;
      waiting: number;
    };
    NotificationEndpoints: {
      items: components["schemas"]["NotificationEndpoint"][];
    };
    EndpointTest: {
      id: string;
      delivered: boolean;
      reason: string | null;
      ms: number;
    };
    NotificationDetail: {
      id: string;
      /** @enum {string} */
      kind: "reminder" | "digest";
      /** @enum {string} */
      channel: "in-app" | "log" | "webhook" | "email" | "operator-webhook";
      target: string | null;
      /** @enum {string} */
      status: "pending" | "bundled" | "delivered" | "failed" | "dropped" | "cancelled";
      reason: string | null;
      reminder_id: string | null;
      task_id: string | null;
      title: string | null;
      remind_at: string | null;
      remind_at_local: string | null;
      tz: string;
      due_on: string | null;
      triggered_at: string;
      late_by: number | null;
      due_at: string;
      attempts: number;
      possibly_duplicated: boolean;
      digest_id: string | null;
      fallback_of: string | null;
      reminders: components["schemas"]["NotifiedReminder"][];
      reminder_count: number;
      delivered_at: string | null;
      read_at: string | null;
      created_at: string;
      task?: components["schemas"]["ReminderTask"] | null;
      attempt_log: {
        attempt: number;
        at: string;
        /** @enum {string} */
        channel: "in-app" | "log" | "webhook" | "email" | "operator-webhook";
        /** @enum {string} */
        outcome: "delivered" | "retry" | "failed" | "cancelled" | "unknown";
        reason: string | null;
        ms: number | null;
      }[];
    };
    ReminderRule: string;
    LastChannelInput:
      | {
          /** @constant */
          type: "in-app";
        }
      | {
          /** @constant */
          type: "log";
        }
      | {
          /** @constant */
          type: "webhook";
          url: string;
          secret?: string;
        }
      | {
          /** @constant */
          type: "email";
          to: string;
        };
    FallbackChannelInput:
      | {
          /** @constant */
          type: "in-app";
          else?: components["schemas"]["LastChannelInput"];
        }
      | {
          /** @constant */
          type: "log";
          else?: components["schemas"]["LastChannelInput"];
        }
      | {
          /** @constant */
          type: "webhook";
          url: string;
          secret?: string;
          else?: components["schemas"]["LastChannelInput"];
        }
      | {
          /** @constant */
          type: "email";
          to: string;
          else?: components["schemas"]["LastChannelInput"];
        };
    ChannelInput:
      | {
          /** @constant */
          type: "in-app";
          else?: components["schemas"]["FallbackChannelInput"];
        }
      | {
          /** @constant */
          type: "log";
          else?: components["schemas"]["FallbackChannelInput"];
        }
      | {
          /** @constant */
          type: "webhook";
          url: string;
          secret?: string;
          else?: components["schemas"]["FallbackChannelInput"];
        }
      | {
          /** @constant */
          type: "email";
          to: string;
          else?: components["schemas"]["FallbackChannelInput"];
        };
    PreferencesInput: {
      tz?: string;
      all_day_at?: string;
      default_reminders?: components["schemas"]["ReminderRule"][];
      quiet_hours?: {
        from: string;
        to: string;
        days?: ("MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU")[];
      } | null;
      urgent_passes?: boolean;
      muted_until?: string | null;
      late?: {
        /** @enum {string} */
        policy?: "deliver" | "collapse" | "drop";
        after?: string;
      };
      channels?: components["schemas"]["ChannelInput"][];
    };
    PreferencesPatch: {
      tz?: string | null;
      all_day_at?: string | null;
      default_reminders?: components["schemas"]["ReminderRule"][] | null;
      quiet_hours?: {
        from?: string | null;
        to?: string | null;
        days?: ("MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU")[] | null;
      } | null;
      urgent_passes?: boolean | null;
      muted_until?: string | null;
      late?: {
        /** @enum {string|null} */
        policy?: "deliver" | "collapse" | "drop" | null;
        after?: string | null;
      } | null;
      channels?: components["schemas"]["ChannelInput"][] | null;
    };
    LastChannel:
      | {
          /** @constant */
          type: "in-app";
        }
      | {
          /** @constant */
          type: "log";
        }
      | {
          /** @constant */
          type: "webhook";
          url: string;
          secret: string;
        }
      | {
          /** @constant */
          type: "email";
          to: string;
        };
    FallbackChannel:
      | {
          /** @constant */
          type: "in-app";
          else?: components["schemas"]["LastChannel"];
        }
      | {
          /** @constant */
          type: "log";
          else?: components["schemas"]["LastChannel"];
        }
      | {
          /** @constant */
          type: "webhook";
          url: string;
          secret: string;
          else?: components["schemas"]["LastChannel"];
        }
      | {
          /** @constant */
          type: "email";
          to: string;
          else?: components["schemas"]["LastChannel"];
        };
    Channel:
      | {
          /** @constant */
          type: "in-app";
          else?: components["schemas"]["FallbackChannel"];
        }
      | {
          /** @constant */
          type: "log";
          else?: components["schemas"]["FallbackChannel"];
        }
      | {
          /** @constant */
          type: "webhook";
          url: string;
          secret: string;
          else?: components["schemas"]["FallbackChannel"];
        }
      | {
          /** @constant */
          type: "email";
          to: string;
          else?: components["schemas"]["FallbackChannel"];
        };
    Preferences: {
      /** @default UTC */
      tz: string;
      /** @default 09:00 */
      all_day_at: string;
      /**
       * @default [
       *       "PT0S"
       *     ]
       */
      default_reminders: components["schemas"]["ReminderRule"][];
      /** @default null */
      quiet_hours: {
        from: string;
        to: string;
        /**
         * @default [
         *       "MO",
         *       "TU",
         *       "WE",
         *       "TH",
         *       "FR",
         *       "SA",
         *       "SU"
         *     ]
         */
        days: ("MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU")[];
      } | null;
      /** @default true */
      urgent_passes: boolean;
      /** @default null */
      muted_until: string | null;
      /**
       * @default {
       *       "policy": "deliver",
       *       "after": "PT6H"
       *     }
       */
      late: {
        /**
         * @default deliver
         * @enum {string}
         */
        policy: "deliver" | "collapse" | "drop";
        /** @default PT6H */
        after: string;
      };
      /**
       * @default [
       *       {
       *         "type": "in-app"
       *       }
       *     ]
       */
      channels: components["schemas"]["Channel"][];
    };
    NewDue: {
      due_date?: string;
      due_on?: string;
    };
    SeriesTime: {
      from: string;
      to: string;
    };
    RecurrencePattern: {
      rrule: string;
      tz?: string;
      start?: string;
      exdate?: string[];
      /** @enum {string} */
      anchor: "schedule" | "completion";
      /** @enum {string} */
      month_end: "skip" | "clamp";
      /** @enum {string} */
      catch_up: "latest" | "all" | "none";
      max_open: number;
    };
    Series: {
      id: string;
      template_id: string;
      /** @enum {string} */
      status: "pending" | "waiting" | "ended" | "stopped";
      recurrence_pattern: components["schemas"]["RecurrencePattern"] | null;
      words: string | null;
      next_due: string | null;
      next: {
        recurrence_id: string;
        due_date: string | null;
        due_on: string | null;
      }[];
      open_occurrences: number;
      made_occurrences: number;
      created_at: string;
      version: number;
    };
    SeriesPage: {
      items: components["schemas"]["Series"][];
      next_cursor: string | null;
    };
    SeriesOccurrence: {
      recurrence_id: string;
      starts_at: string;
      due_date: string | null;
      due_on: string | null;
      /** @enum {string} */
      state: "open" | "completed" | "deleted" | "skipped" | "missed" | "upcoming" | "expected";
      moved: boolean;
      task_id: string | null;
      closed_at: string | null;
    };
    SeriesOccurrences: {
      items: components["schemas"]["SeriesOccurrence"][];
      next_from: string | null;
    };
    SeriesHistory: {
      items: {
        recurrence_id: string;
        starts_at: string;
        due_date: string | null;
        due_on: string | null;
        /** @enum {string} */
        state: "open" | "completed" | "deleted" | "skipped" | "missed" | "upcoming" | "expected";
        moved: boolean;
        task_id: string | null;
        closed_at: string | null;
        /** @enum {string} */
        outcome: "done" | "skipped" | "missed" | "open";
        on_time: boolean | null;
      }[];
      totals: {
        done: number;
        on_time: number;
        late: number;
        skipped: number;
        missed: number;
        open: number;
      };
      current_streak: number;
      longest_streak: number;
      on_time_rate: number | null;
      next_from: string | null;
    };
    NewReminder: {
      remind_at: string;
      drop_after?: string | null;
    };
    ReminderPatch: {
      remind_at?: string;
      drop_after?: string | null;
    };
    Snooze: {
      until?: string;
      for?: string;
      /** @enum {string} */
      preset?: "10m" | "1h" | "tonight" | "tomorrow" | "next-week";
    };
    ListedReminder: {
      id: string;
      task_id: string;
      rule: string | null;
      remind_at: string;
      snoozed_from: string | null;
      drop_after: string | null;
      /** @enum {string} */
      status: "pending" | "triggered" | "dismissed";
      triggered_at: string | null;
      dismissed_at: string | null;
      reason: string | null;
      generation: number;
      version: number;
      task?: components["schemas"]["ReminderTask"] | null;
    };
    ReminderPage: {
      items: components["schemas"]["ListedReminder"][];
      next_cursor: string | null;
    };
    Reminder: {
      id: string;
      task_id: string;
      rule: string | null;
      remind_at: string;
      snoozed_from: string | null;
      drop_after: string | null;
      /** @enum {string} */
      status: "pending" | "triggered" | "dismissed";
      triggered_at: string | null;
      dismissed_at: string | null;
      reason: string | null;
      generation: number;
      version: number;
    };
    TaskReminderPage: {
      items: components["schemas"]["Reminder"][];
      next_cursor: string | null;
    };
    RecurrencePatternInput:
      | ("daily" | "weekly" | "monthly" | "yearly" | "weekdays")
      | {
          rrule: string;
          tz?: string;
          start?: string;
          exdate?: string[];
          /** @enum {string} */
          anchor?: "schedule" | "completion";
          /** @enum {string} */
          month_end?: "skip" | "clamp";
          /** @enum {string} */
          catch_up?: "latest" | "all" | "none";
          max_open?: number;
        };
    NewTask: {
      title: string;
      description?: string | null;
      due_date?: string | null;
      due_on?: string | null;
      due_tz?: string | null;
      /** @enum {string|null} */
      priority?: "Low" | "Medium" | "High" | null;
      tags?: string[];
      remind?: components["schemas"]["ReminderRule"][] | null;
      recurrence_pattern?: components["schemas"]["RecurrencePatternInput"] | null;
      is_recurring_template?: boolean;
    } & (unknown & unknown & unknown);
    QuickAdd: {
      text: string;
      dry_run?: boolean;
    };
    BatchCreate: {
      /** @constant */
      op: "create";
      temp_id?: string;
      task: components["schemas"]["NewTask"];
    };
    TaskPatch: {
      title?: string;
      description?: string | null;
      due_date?: string | null;
      due_on?: string | null;
      due_tz?: string | null;
      /** @enum {string|null} */
      priority?: "Low" | "Medium" | "High" | null;
      tags?: string[];
      remind?: components["schemas"]["ReminderRule"][] | null;
      recurrence_pattern?: components["schemas"]["RecurrencePatternInput"] | null;
      is_recurring_template?: boolean;
    } & (unknown & unknown);
    BatchUpdate: {
      /** @constant */
      op: "update";
      id: string;
      patch: components["schemas"]["TaskPatch"];
      if_match?: number;
    };
    BatchVerb: {
      /** @enum {string} */
      op: "complete" | "reopen" | "delete";
      id: string;
      if_match?: number;
    };
    BatchOperation:
      components["schemas"]["BatchCreate"] | components["schemas"]["BatchUpdate"] | components["schemas"]["BatchVerb"];
    Batch: {
      atomic?: boolean;
      operations: components["schemas"]["BatchOperation"][];
    };
    CreatedTask: {
      id: string;
      user_id: string;
      title: string;
      description: string | null;
      created_at: string;
      updated_at: string;
      due_date: string | null;
      due_on: string | null;
      due_tz: string | null;
      /** @enum {string|null} */
      priority: "Low" | "Medium" | "High" | null;
      tags: string[];
      remind: string[] | null;
      /** @enum {string} */
      status: "open" | "completed";
      completed_at: string | null;
      deleted_at: string | null;
      is_recurring_template: boolean;
      recurrence_pattern: components["schemas"]["RecurrencePattern"] | null;
      template_id: string | null;
      recurrence_id: string | null;
      version: number;
      view_version: number | null;
      first_occurrence: {
        id: string;
        recurrence_id: string;
        due_date: string | null;
        due_on: string | null;
      } | null;
      reminders: {
        id: string;
        rule: string;
        remind_at: string;
      }[];
      unset_reminders: {
        rule: string;
        remind_at: string | null;
        /** @enum {string} */
        reason: "no_due" | "past" | "same_time" | "completed";
      }[];
    };
    ListedTask: {
      id: string;
      user_id: string;
      title: string;
      description: string | null;
      created_at: string;
      updated_at: string;
      due_date: string | null;
      due_on: string | null;
      due_tz: string | null;
      /** @enum {string|null} */
      priority: "Low" | "Medium" | "High" | null;
      tags: string[];
      remind: string[] | null;
      /** @enum {string} */
      status: "open" | "completed";
      completed_at: string | null;
      deleted_at: string | null;
      is_recurring_template: boolean;
      recurrence_pattern: components["schemas"]["RecurrencePattern"] | null;
      template_id: string | null;
      recurrence_id: string | null;
      version: number;
      view_version: number | null;
      reminders?: components["schemas"]["Reminder"][];
    };
    TaskPage: {
      items: components["schemas"]["ListedTask"][];
      next_cursor: string | null;
      count?: number;
      filter_words?: string;
    };
    Tag: {
      tag: string;
      open: number;
      completed: number;
    };
    TagPage: {
      items: components["schemas"]["Tag"][];
      next_cursor: string | null;
    };
    Understood: {
      pieces: {
        text: string;
        at: number;
        means: string;
      }[];
      notes: string[];
      zone: string;
    };
    QuickAddReading: {
      task: {
        title: string;
      } & {
        [key: string]: unknown;
      };
      understood: components["schemas"]["Understood"];
    };
    QuickAddedTask: {
      id: string;
      user_id: string;
      title: string;
      description: string | null;
      created_at: string;
      updated_at: string;
      due_date: string | null;
      due_on: string | null;
      due_tz: string | null;
      /** @enum {string|null} */
      priority: "Low" | "Medium" | "High" | null;
      tags: string[];
      remind: string[] | null;
      /** @enum {string} */
      status: "open" | "completed";
      completed_at: string | null;
      deleted_at: string | null;
      is_recurring_template: boolean;
      recurrence_pattern: components["schemas"]["RecurrencePattern"] | null;
      template_id: string | null;
      recurrence_id: string | null;
      version: number;
      view_version: number | null;
      first_occurrence: {
        id: string;
        recurrence_id: string;
        due_date: string | null;
        due_on: string | null;
      } | null;
      reminders: {
        id: string;
        rule: string;
        remind_at: string;
      }[];
      unset_reminders: {
        rule: string;
        remind_at: string | null;
        /** @enum {string} */
        reason: "no_due" | "past" | "same_time" | "completed";
      }[];
      understood: components["schemas"]["Understood"];
    };
    PatchedTask: {
      id: string;
      user_id: string;
      title: string;
      description: string | null;
      created_at: string;
      updated_at: string;
      due_date: string | null;
      due_on: string | null;
      due_tz: string | null;
      /** @enum {string|null} */
      priority: "Low" | "Medium" | "High" | null;
      tags: string[];
      remind: string[] | null;
      /** @enum {string} */
      status: "open" | "completed";
      completed_at: string | null;
      deleted_at: string | null;
      is_recurring_template: boolean;
      recurrence_pattern: components["schemas"]["RecurrencePattern"] | null;
      template_id: string | null;
      recurrence_id: string | null;
      version: number;
      view_version: number | null;
      unset_reminders?: {
        rule: string;
        remind_at: string | null;
        /** @enum {string} */
        reason: "no_due" | "past" | "same_time" | "completed";
      }[];
    };
    BatchDone: {
      status: 200 | 201 | 204;
      id: string;
      version: number;
      task?: components["schemas"]["CreatedTask"] | components["schemas"]["PatchedTask"];
    };
    BatchRefused: {
      status: number;
      problem: components["schemas"]["Problem"];
    };
    BatchResult: components["schemas"]["BatchDone"] | components["schemas"]["BatchRefused"];
    BatchAnswer: {
      results: components["schemas"]["BatchResult"][];
      temp_ids: {
        [key: string]: string;
      };
    };
    Task: {
      id: string;
      user_id: string;
      title: string;
      description: string | null;
      created_at: string;
      updated_at: string;
      due_date: string | null;
      due_on: string | null;
      due_tz: string | null;
      /** @enum {string|null} */
      priority: "Low" | "Medium" | "High" | null;
      tags: string[];
      remind: string[] | null;
      /** @enum {string} */
      status: "open" | "completed";
      completed_at: string | null;
      deleted_at: string | null;
      is_recurring_template: boolean;
      recurrence_pattern: components["schemas"]["RecurrencePattern"] | null;
      template_id: string | null;
      recurrence_id: string | null;
      version: number;
      view_version: number | null;
    };
    NewSession: {
      user_id: string;
      expires_at: string;
      token: string;
    };
    Session: {
      user_id: string;
      expires_at: string;
    };
    /** @enum {string} */
    ChangeType: "created" | "updated" | "completed" | "deleted";
    ChangedTask: {
      id: string;
      user_id: string;
      title: string;
      description: string | null;
      created_at: string;
      updated_at: string;
      due_date: string | null;
      due_on: string | null;
      due_tz: string | null;
      /** @enum {string|null} */
      priority: "Low" | "Medium" | "High" | null;
      tags: string[];
      remind: string[] | null;
      /** @enum {string} */
      status: "open" | "completed";
      completed_at: string | null;
      deleted_at: string | null;
      is_recurring_template: boolean;
      recurrence_pattern: components["schemas"]["RecurrencePattern"] | null;
      template_id: string | null;
      recurrence_id: string | null;
      version: number;
      view_version: number;
      reminders: components["schemas"]["Reminder"][];
    };
    TaskChanged: {
      change_type: components["schemas"]["ChangeType"];
      task_id: string;
      user_id: string;
      payload: components["schemas"]["ChangedTask"];
      timestamp: string;
    };
    /** @enum {string} */
    ResetReason: "unreadable" | "epoch" | "foreign" | "moved" | "beyond-end" | "too-old" | "gap";
    /** @enum {string} */
    StreamState: "live" | "stale";
    Changes: {
      items: components["schemas"]["TaskChanged"][];
      cursor: string;
      reset: components["schemas"]["ResetReason"] | null;
      state: components["schemas"]["StreamState"];
    };
  };
  responses: {
    Problem400: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem401: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem403: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem409: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem413: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem415: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem422: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem429: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        "Retry-After": components["headers"]["Retry-After"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem500: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem503: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        "Retry-After": components["headers"]["Retry-After"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem404: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
    Problem412: {
      headers: {
        "X-Request-Id": components["headers"]["X-Request-Id"];
        "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
        RateLimit: components["headers"]["RateLimit"];
        [name: string]: unknown;
      };
      content: {
        "application/problem+json": components["schemas"]["Problem"];
      };
    };
  };
  parameters: never;
  requestBodies: never;
  headers: {
    "X-Request-Id": string;
    "X-Stream-Cursor": string;
    "Idempotent-Replayed": "true";
    "Retry-After": number;
    "RateLimit-Policy": string;
    RateLimit: string;
    "WWW-Authenticate": string;
  };
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  runBatch: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["Batch"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["BatchAnswer"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  exportCalendar: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          "Content-Disposition"?: string;
          [name: string]: unknown;
        };
        content: {
          "text/calendar": string;
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listNotifications: {
    parameters: {
      query?: {
        limit?: number;
        cursor?: string;
        status?: "pending" | "bundled" | "delivered" | "failed" | "dropped" | "cancelled";
        channel?: "in-app" | "log" | "webhook" | "email" | "operator-webhook";
        unread?: "true" | "false";
        created_after?: string;
        created_before?: string;
        expand?: "task";
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NotificationPage"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listNotificationEndpoints: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NotificationEndpoints"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  enableNotificationEndpoint: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NotificationEndpoint"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  testNotificationEndpoint: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["EndpointTest"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  readAllNotifications: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            read: number;
          };
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  countUnreadNotifications: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            unread: number;
          };
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getNotification: {
    parameters: {
      query?: {
        expand?: "task";
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NotificationDetail"];
        };
      };
      401: components["responses"]["Problem401"];
      404: components["responses"]["Problem404"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  readNotification: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NotificationDetail"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  resendNotification: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      202: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NotificationDetail"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getPreferences: {
    parameters: {
      query?: never;
      header?: {
        "if-none-match"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Preferences"];
        };
      };
      304: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          ETag?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  putPreferences: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["PreferencesInput"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Preferences"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  updatePreferences: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["PreferencesPatch"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Preferences"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  quickAddTask: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["QuickAdd"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["QuickAddReading"];
        };
      };
      201: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          ETag?: string;
          Location?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["QuickAddedTask"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listReminders: {
    parameters: {
      query?: {
        limit?: number;
        cursor?: string;
        status?: "pending" | "triggered" | "dismissed";
        task_id?: string;
        task_status?: "open" | "completed" | "deleted";
        remind_after?: string;
        remind_before?: string;
        expand?: "task";
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ReminderPage"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getReminder: {
    parameters: {
      query?: {
        expand?: "task";
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ListedReminder"];
        };
      };
      401: components["responses"]["Problem401"];
      404: components["responses"]["Problem404"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  deleteReminder: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      204: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content?: never;
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  updateReminder: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["ReminderPatch"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Reminder"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  dismissReminder: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Reminder"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  snoozeReminder: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["Snooze"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Reminder"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listSeries: {
    parameters: {
      query?: {
        limit?: number;
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesPage"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getSeries: {
    parameters: {
      query?: never;
      header?: {
        "if-none-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Series"];
        };
      };
      304: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content?: never;
      };
      401: components["responses"]["Problem401"];
      404: components["responses"]["Problem404"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getSeriesHistory: {
    parameters: {
      query?: {
        from?: string;
        to?: string;
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesHistory"];
        };
      };
      401: components["responses"]["Problem401"];
      404: components["responses"]["Problem404"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listSeriesOccurrences: {
    parameters: {
      query?: {
        from?: string;
        to?: string;
        limit?: number;
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesOccurrences"];
        };
      };
      401: components["responses"]["Problem401"];
      404: components["responses"]["Problem404"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  completeSeriesOccurrence: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
        "idempotency-key"?: string;
      };
      path: {
        id: string;
        recurrence_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesOccurrence"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  moveSeriesOccurrence: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
        "idempotency-key"?: string;
      };
      path: {
        id: string;
        recurrence_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewDue"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesOccurrence"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  skipSeriesOccurrence: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
        "idempotency-key"?: string;
      };
      path: {
        id: string;
        recurrence_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesOccurrence"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  unskipSeriesOccurrence: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
        "idempotency-key"?: string;
      };
      path: {
        id: string;
        recurrence_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesOccurrence"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  skipSeriesRange: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["SeriesTime"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesOccurrences"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  unskipSeriesRange: {
    parameters: {
      query?: never;
      header?: {
        "if-match"?: string;
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["SeriesTime"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["SeriesOccurrences"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Session"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  createSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": {
          user: string;
        };
      };
    };
    responses: {
      201: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Set-Cookie"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NewSession"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  deleteSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      204: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Set-Cookie"?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  keepSessionCookie: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            user_id: string;
            expires_at: string;
          };
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getWayToSignIn: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @enum {string} */
            by: "name" | "token";
            url: string | null;
          };
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  openStream: {
    parameters: {
      query?: {
        cursor?: string;
        ticket?: string;
      };
      header?: {
        "last-event-id"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "text/event-stream": string;
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  createStreamTicket: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      201: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            ticket: string;
            expires_at: string;
          };
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  pollChanges: {
    parameters: {
      query?: {
        since?: string;
        wait?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Changes"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listTags: {
    parameters: {
      query?: {
        limit?: number;
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["TagPage"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listTasks: {
    parameters: {
      query?: {
        status?: "open" | "completed" | "all";
        templates?: "true" | "false";
        deleted?: "true" | "false";
        q?: string;
        filter?: string;
        due_after?: string;
        due_before?: string;
        completed_after?: string;
        completed_before?: string;
        updated_since?: string;
        tag?: string[];
        priority?: ("Low" | "Medium" | "High" | "none")[];
        template_id?: string;
        ids?: string[];
        sort?:
          | "due"
          | "-due"
          | "created"
          | "-created"
          | "updated"
          | "-updated"
          | "completed"
          | "-completed"
          | "deleted"
          | "-deleted"
          | "priority"
          | "-priority";
        count?: "true" | "false";
        expand?: "reminders";
        limit?: number;
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["TaskPage"];
        };
      };
      401: components["responses"]["Problem401"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  createTask: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewTask"];
      };
    };
    responses: {
      201: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          ETag?: string;
          Location?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["CreatedTask"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  getTask: {
    parameters: {
      query?: never;
      header?: {
        "if-none-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      304: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          ETag?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
      401: components["responses"]["Problem401"];
      404: components["responses"]["Problem404"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  deleteTask: {
    parameters: {
      query?: {
        scope?: "this" | "future" | "all";
      };
      header?: {
        "idempotency-key"?: string;
        "if-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      204: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content?: never;
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  updateTask: {
    parameters: {
      query?: {
        scope?: "this" | "future" | "all";
      };
      header?: {
        "idempotency-key"?: string;
        "if-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["TaskPatch"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["PatchedTask"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  completeTask: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
        "if-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  listTaskReminders: {
    parameters: {
      query?: {
        limit?: number;
        cursor?: string;
        status?: "pending" | "triggered" | "dismissed";
      };
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "X-Stream-Cursor": components["headers"]["X-Stream-Cursor"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["TaskReminderPage"];
        };
      };
      401: components["responses"]["Problem401"];
      404: components["responses"]["Problem404"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  createTaskReminder: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewReminder"];
      };
    };
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Reminder"];
        };
      };
      201: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Reminder"];
        };
      };
      400: components["responses"]["Problem400"];
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      413: components["responses"]["Problem413"];
      415: components["responses"]["Problem415"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  reopenTask: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
        "if-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  restoreTask: {
    parameters: {
      query?: {
        scope?: "this" | "all";
      };
      header?: {
        "idempotency-key"?: string;
        "if-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  stopSeriesAfterTask: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
        "if-match"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      200: {
        headers: {
          "X-Request-Id": components["headers"]["X-Request-Id"];
          "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
          RateLimit: components["headers"]["RateLimit"];
          "Idempotent-Replayed": components["headers"]["Idempotent-Replayed"];
          ETag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Task"];
        };
      };
      401: components["responses"]["Problem401"];
      403: components["responses"]["Problem403"];
      404: components["responses"]["Problem404"];
      409: components["responses"]["Problem409"];
      412: components["responses"]["Problem412"];
      413: components["responses"]["Problem413"];
      422: components["responses"]["Problem422"];
      429: components["responses"]["Problem429"];
      500: components["responses"]["Problem500"];
      503: components["responses"]["Problem503"];
    };
  };
  onReminderTriggered: {
    parameters: {
      query?: never;
      header: {
        "webhook-id": string;
        "webhook-timestamp": string;
        "webhook-signature": string;
        "x-correlation-id"?: string;
        "x-causation-id"?: string;
        traceparent?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["ReminderTriggeredWebhook"];
      };
    };
    responses: {
      410: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      "2XX": {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      default: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  onReminderDigest: {
    parameters: {
      query?: never;
      header: {
        "webhook-id": string;
        "webhook-timestamp": string;
        "webhook-signature": string;
        "x-correlation-id"?: string;
        "x-causation-id"?: string;
        traceparent?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["ReminderDigestWebhook"];
      };
    };
    responses: {
      410: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      "2XX": {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      default: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  onEndpointTest: {
    parameters: {
      query?: never;
      header: {
        "webhook-id": string;
        "webhook-timestamp": string;
        "webhook-signature": string;
        "x-correlation-id"?: string;
        "x-causation-id"?: string;
        traceparent?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["EndpointTestWebhook"];
      };
    };
    responses: {
      "2XX": {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      default: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
}
