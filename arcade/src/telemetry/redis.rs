//! What the metrics of Redis are called. Rendered from nothing each time: servers come, go and begin anew, and
//! what is gone must not look alive.

use larder_redis::{BreakerState, ServerReport};
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::shared_tier::{NamespaceFigures, RedisFigures, ServerFigures};

/// The name of a server that Sentinel has not named yet.
const UNKNOWN: &str = "unknown";

pub(super) fn rendered(figures: &RedisFigures) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        describe();
        gauge!("redis_shards_without_server").set(figures.shards_without_server as f64);
        counter!("redis_damaged_values_total").absolute(figures.damaged_values);
        figures.servers.iter().for_each(take_over);
        if let Some(namespace) = figures.namespace {
            take_over_namespace(namespace);
        }
    });
    recorder.handle().render()
}

fn take_over(figures: &ServerFigures) {
    let ServerFigures { health, said } = figures;
    let server = health.address.as_ref().map_or_else(|| UNKNOWN.to_owned(), ToString::to_string);
    gauge!("redis_connected", "server" => server.clone()).set(f64::from(health.connected));
    gauge!("redis_latency_seconds", "server" => server.clone()).set(health.latency.as_secs_f64());
    counter!("redis_connects_total", "server" => server.clone()).absolute(health.connects);
    for (name, state) in [
        ("closed", BreakerState::Closed),
        ("open", BreakerState::Open),
        ("halfopen", BreakerState::HalfOpen),
    ] {
        gauge!("redis_breaker", "server" => server.clone(), "state" => name)
            .set(f64::from(health.breaker == state));
    }
    if let Some((report, age)) = said {
        gauge!("redis_report_age_seconds", "server" => server.clone()).set(age.as_secs_f64());
        take_over_report(&server, report);
    }
}

fn take_over_report(server: &str, report: &ServerReport) {
    let server = || server.to_owned();
    if let Some(bytes) = report.used_memory_bytes {
        gauge!("redis_memory_used_bytes", "server" => server()).set(bytes as f64);
    }
    if let Some(bytes) = report.memory_bytes_max {
        gauge!("redis_memory_max_bytes", "server" => server()).set(bytes as f64);
    }
    if let Some(connections) = report.connections {
        gauge!("redis_connections", "server" => server()).set(connections as f64);
    }
    if let Some(connections) = report.connections_max {
        gauge!("redis_connections_max", "server" => server()).set(connections as f64);
    }
    gauge!("redis_keys", "server" => server()).set(report.keys as f64);
    for (command, figures) in &report.commands {
        let labels = [("server", server()), ("command", command.clone())];
        counter!("redis_command_calls_total", &labels).absolute(figures.calls);
        counter!("redis_command_microseconds_total", &labels).absolute(figures.took_us);
    }
}

fn take_over_namespace(figures: NamespaceFigures) {
    let NamespaceFigures { count, age, values_max } = figures;
    let other = count.keys.saturating_sub(count.values);
    for (kind, keys) in [("value", count.values), ("other", other)] {
        gauge!("redis_namespace_keys", "kind" => kind).set(keys as f64);
    }
    gauge!("redis_namespace_values_max").set(values_max as f64);
    gauge!("redis_namespace_count_whole").set(f64::from(count.is_whole));
    gauge!("redis_namespace_count_age_seconds").set(age.as_secs_f64());
}

fn describe() {
    describe_gauge!("redis_shards_without_server", "Shards that no server is known to keep.");
    describe_counter!("redis_damaged_values_total", "Values that could not be read: each a miss.");
    describe_gauge!("redis_connected", "Whether this process has a connection, now.");
    describe_gauge!("redis_latency_seconds", Unit::Seconds, "How long the last answer took.");
    describe_counter!("redis_connects_total", "Connections that this process has made.");
    describe_gauge!("redis_breaker", "1 for the state in which the breaker is.");
    describe_gauge!("redis_report_age_seconds", Unit::Seconds, "Age of what the server said last.");
    describe_gauge!("redis_memory_used_bytes", Unit::Bytes, "Memory of the server, for everybody.");
    describe_gauge!("redis_memory_max_bytes", Unit::Bytes, "Its limit; 0 is none.");
    describe_gauge!("redis_connections", "Connections of everybody.");
    describe_gauge!("redis_connections_max", "The most that it takes.");
    describe_gauge!("redis_keys", "Keys of everybody in this database.");
    describe_counter!("redis_command_calls_total", "Calls of everybody since its start.");
    describe_counter!("redis_command_microseconds_total", "The time that they took on the server.");
    describe_gauge!("redis_namespace_keys", "Keys of this namespace, on all servers.");
    describe_gauge!("redis_namespace_values_max", "More values are too many.");
    describe_gauge!("redis_namespace_count_whole", "0: there are at least so many keys.");
    describe_gauge!("redis_namespace_count_age_seconds", Unit::Seconds, "Age of the count.");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use larder_redis::{Address, CommandFigures, KeyCount, ServerHealth};

    use super::*;

    fn server(port: u16, calls: u64) -> ServerFigures {
        let figures = CommandFigures { calls, took_us: 7 };
        let report = ServerReport {
            used_memory_bytes: Some(1_024),
            commands: [("get".to_owned(), figures)].into(),
            ..ServerReport::default()
        };
        let health = ServerHealth {
            address: Some(Address::Tcp("cache.local".into(), port)),
            connected: true,
            breaker: BreakerState::Open,
            connections: 2,
            connects: 3,
            last_fault: None,
            latency: Duration::from_millis(2),
        };
        ServerFigures { health, said: Some((report, Duration::from_secs(4))) }
    }

    fn figures(servers: Vec<ServerFigures>) -> RedisFigures {
        let count = KeyCount { keys: 12, values: 10, is_whole: true };
        let namespace = NamespaceFigures { count, age: Duration::from_secs(1), values_max: 9 };
        let namespace = Some(namespace);
        RedisFigures { servers, shards_without_server: 0, damaged_values: 0, namespace }
    }

    #[test]
    fn each_server_has_its_figures_in_their_units() {
        let text = rendered(&figures(vec![server(1, 5), server(2, 6)]));
        for line in [
            r#"redis_connected{server="cache.local:1"} 1"#,
            r#"redis_latency_seconds{server="cache.local:2"} 0.002"#,
            r#"redis_breaker{server="cache.local:1",state="open"} 1"#,
            r#"redis_breaker{server="cache.local:1",state="closed"} 0"#,
            r#"redis_memory_used_bytes{server="cache.local:1"} 1024"#,
            r#"redis_report_age_seconds{server="cache.local:1"} 4"#,
            r#"redis_command_calls_total{server="cache.local:2",command="get"} 6"#,
            r#"redis_command_microseconds_total{server="cache.local:2",command="get"} 7"#,
            r#"redis_namespace_keys{kind="value"} 10"#,
            r#"redis_namespace_keys{kind="other"} 2"#,
            "redis_namespace_values_max 9",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
        // What it did not say is not told as nothing.
        assert!(!text.contains("redis_connections{"), "{text}");
    }

    #[test]
    fn a_server_that_is_gone_or_began_anew_leaves_nothing_behind() {
        rendered(&figures(vec![server(1, 5), server(2, 6)]));
        let text = rendered(&figures(vec![server(2, 1)]));
        assert!(!text.contains("cache.local:1"), "{text}");
        assert!(
            text.contains(r#"redis_command_calls_total{server="cache.local:2",command="get"} 1"#)
        );
    }

    #[test]
    fn a_server_that_nobody_has_found_is_told_as_lost() {
        let mut lost = server(1, 0);
        lost.health.address = None;
        lost.health.connected = false;
        lost.said = None;
        let text = rendered(&figures(vec![lost]));
        assert!(text.contains(r#"redis_connected{server="unknown"} 0"#), "{text}");
    }
}
