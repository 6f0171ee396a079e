//! The metrics of the running program, in the format and with the names that Prometheus expects.
//!
//! Modules update these counters, gauges and histograms. The values live as long as the process. [`crate::serve`] adds
//! the values that the database has, and sends the result.

use prometheus::core::Collector;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use std::sync::LazyLock;
use std::time::Instant;

/// The upper bounds of the buckets for durations of requests and polls, in seconds.
const REQUEST_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 20.0, 60.0];
/// The upper bounds of the buckets for scores.
const SCORES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// All metrics of the process.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// The metrics. Each is described where it is created.
pub struct Metrics {
    registry: Registry,
    pub polls: IntCounterVec,
    pub poll_duration: Histogram,
    pub received_bytes: IntCounter,
    pub new_items: IntCounter,
    pub changed_items: IntCounter,
    pub join_score: Histogram,
    pub grouping_duration: Histogram,
    pub render_duration: Histogram,
    pub http_requests: IntCounterVec,
    pub http_duration: HistogramVec,
    pub configuration_accepted: IntGauge,
    pub configuration_applied_at: IntGauge,
    pub sources: IntGaugeVec,
    pub items: IntGauge,
    pub stories: IntGauge,
    pub published_stories: IntGauge,
    pub storylines: IntGauge,
    pub queue_length: IntGaugeVec,
    pub subscribers: IntGauge,
    pub last_poll_at: IntGauge,
    pub database_bytes: IntGauge,
    pub write_ahead_log_bytes: IntGauge,
    pub disk_free_bytes: IntGauge,
    pub faults: IntGaugeVec,
    pub webhook_requests: IntCounterVec,
    pub exports: IntCounterVec,
    pub last_export_at: IntGauge,
}

impl Metrics {
    fn new() -> Metrics {
        let registry = Registry::new();
        let set = MetricSet(&registry);
        let build = set.gauges("build_info", "The version of newsfold. The value is always 1.", "version");
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Metrics {
            polls: set.counters("polls_total", "Recorded polls by outcome.", &["outcome"]),
            poll_duration: set.histogram("poll_duration_seconds", "Duration of polls.", &REQUEST_SECONDS),
            received_bytes: set.counter("poll_document_bytes_total", "Total size of the documents read by polls."),
            new_items: set.counter("new_items_total", "Items stored by polls and pushes."),
            changed_items: set.counter("changed_items_total", "Items whose text was changed by a poll or push."),
            join_score: set.histogram("join_score", "Scores of items that joined a story, from 0 to 1.", &SCORES),
            grouping_duration: set.histogram("grouping_duration_seconds", "Duration of grouping.", &REQUEST_SECONDS),
            render_duration: set.histogram("feed_render_duration_seconds", "Duration of rendering.", &REQUEST_SECONDS),
            http_requests: set.counters("http_requests_total", "HTTP requests to the site.", &["route", "status"]),
            http_duration: set.histograms("http_request_duration_seconds", "Duration of HTTP requests.", "route"),
            configuration_accepted: set.gauge("config_reload_successful", "1 if the last reload succeeded."),
            configuration_applied_at: set
                .gauge("config_applied_timestamp_seconds", "Unix time at which the configuration was applied."),
            sources: set.gauges("sources", "Sources by status.", "status"),
            items: set.gauge("items", "Stored items."),
            stories: set.gauge("stories", "Stored stories."),
            published_stories: set.gauge("published_stories", "Published stories."),
            storylines: set.gauge("storylines", "Stored storylines."),
            queue_length: set.gauges("queue_length", "Number of queued items by queue.", "queue"),
            subscribers: set.gauge("subscribers", "Subscriptions at the built-in WebSub hub."),
            last_poll_at: set.gauge("last_poll_timestamp_seconds", "Unix time of the last poll; 0 if there was none."),
            database_bytes: set.gauge("database_bytes", "Size of the database file."),
            write_ahead_log_bytes: set.gauge("database_wal_bytes", "Size of the write-ahead log of the database."),
            disk_free_bytes: set.gauge("disk_free_bytes", "Free space on the disk that holds the database."),
            faults: set.gauges("faults", "1 for each part of newsfold that /healthz reports as down.", "part"),
            webhook_requests: set.counters(
                "webhook_requests_total",
                "Requests to webhooks by feed and outcome. An entry is skipped after too many failures.",
                &["feed", "outcome"],
            ),
            exports: set.counters("exports_total", "Exports to publish.export_dir by outcome.", &["outcome"]),
            last_export_at: set.gauge(
                "last_export_timestamp_seconds",
                "Unix time of the last export that succeeded; 0 if there was none since the start.",
            ),
            registry,
        }
    }

    /// Returns the text of all metrics (Prometheus text format 0.0.4).
    pub fn text(&self) -> prometheus::Result<Vec<u8>> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// Creates metrics whose names start with `newsfold_`, and registers them.
struct MetricSet<'a>(&'a Registry);

impl MetricSet<'_> {
    fn register<C: Collector + Clone + 'static>(&self, collector: prometheus::Result<C>) -> C {
        let collector = collector.expect("the names in this file are valid");
        self.0.register(Box::new(collector.clone())).expect("the names in this file are unique");
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::with_opts(options(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(options(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::with_opts(options(name, help)))
    }

    fn gauges(&self, name: &str, help: &str, label: &str) -> IntGaugeVec {
        self.register(IntGaugeVec::new(options(name, help), &[label]))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let options = HistogramOpts::from(options(name, help)).buckets(buckets.to_vec());
        self.register(Histogram::with_opts(options))
    }

    fn histograms(&self, name: &str, help: &str, label: &str) -> HistogramVec {
        let options = HistogramOpts::from(options(name, help)).buckets(REQUEST_SECONDS.to_vec());
        self.register(HistogramVec::new(options, &[label]))
    }
}

fn options(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("newsfold")
}

/// Returns the seconds since `start`.
pub fn seconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
